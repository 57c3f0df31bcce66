# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion of make, asked as bash asks it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ASK = """
source tests/tools/completion.bash
COMP_WORDS=(make "$1"); COMP_CWORD=1; compopt() { :; }
_baremetal_proxmox_make
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("create-c", {"create-cluster"}),
        ("repo", {"report"}),
        ("OUTPUT=j", {"json"}),
        ("INVENTORY=inventory/proxmox", {"inventory/proxmox-cluster.ini.example"}),
    ],
)
def test_what_bash_offers(typed: str, offered: set[str]):
    ended = subprocess.run(["bash", "-c", ASK, "bash", typed], cwd=ROOT, capture_output=True, text=True, check=True)
    assert offered <= set(ended.stdout.split())


def test_elsewhere_make_is_completed_as_before(tmp_path: Path):
    script = f"source {ROOT}/tests/tools/completion.bash; cd {tmp_path}; COMP_WORDS=(make x); COMP_CWORD=1; _baremetal_proxmox_make"
    assert subprocess.run(["bash", "-c", script], check=False).returncode == 1


def test_every_target_with_help_is_offered():
    helped = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in helped.splitlines() if line.startswith("  ")}
    ended = subprocess.run(["bash", "-c", ASK, "bash", ""], cwd=ROOT, capture_output=True, text=True, check=True)
    assert targets - set(ended.stdout.split()) == set()
