# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cached roots stay when a new one has been built."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from practice_lab import cached, layers, root


def test_the_two_newest_and_those_in_use_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = [tmp_path / (letter * 16) for letter in "abcde"]
    for path in made:
        path.mkdir()
        time.sleep(0.02)
    for name in ("bytecode", "keys", f"{'a' * 16}.lock"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(layers, "lower_directories", lambda: {made[0]})
    cached.forget_older(made[-1], root.CACHE_KEY)
    assert sorted(path.name[:8] for path in tmp_path.iterdir()) == [
        "aaaaaaaa",
        "aaaaaaaa",
        "bytecode",
        "dddddddd",
        "eeeeeeee",
        "keys",
    ]
