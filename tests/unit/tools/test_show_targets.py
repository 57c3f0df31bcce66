# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

from show_targets import show

MAKEFILE = (Path(__file__).resolve().parents[3] / "Makefile").read_text(encoding="utf-8")


def test_every_target_of_the_makefile_is_shown_with_one_line():
    rules = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE))
    shown = [line.split()[0] for line in show([MAKEFILE]).splitlines() if line.startswith("  ")]
    assert sorted(shown) == sorted(rules)


def test_every_target_is_phony():
    [phony] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE)) == set(phony.split())


def test_targets_stand_under_their_topics():
    text = "b: a  ## Work: Do b\na:  ## Start: Do a\nsecret:\nc:  ## Work: Do c\n"
    assert show([text]).splitlines() == ["Work:", "  b  Do b", "  c  Do c", "Start:", "  a  Do a"]
