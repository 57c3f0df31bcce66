# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guests' commands say before they touch anything."""

from __future__ import annotations

import pytest

from practice_pve.commands import qm
from practice_pve.guests.snapshot_tree import print_snapshot_tree
from practice_pve.rest import command_line

USAGE = "qm create <vmid> [OPTIONS]\n"
CASES = [
    (["create"], f"400 not enough arguments\n{USAGE}"),
    (
        ["create", "101", "--memory", "x"],
        "400 Parameter verification failed.\nmemory: invalid format - format error\n"
        f"memory.current: type check ('integer') failed - got 'x'\n\n{USAGE}",
    ),
    (
        ["create", "101", "--memory", "1"],
        "400 Parameter verification failed.\nmemory: invalid format - format error\n"
        f"memory.current: value must have a minimum value of 16\n\n{USAGE}",
    ),
    (
        ["create", "108", "--cpu", "nosuchcpu"],
        "400 Parameter verification failed.\n"
        f"cpu: invalid format - Built-in cputype 'nosuchcpu' is not defined (missing 'custom-' prefix?)\n\n{USAGE}",
    ),
    (
        ["create", "99"],
        f"400 Parameter verification failed.\nvmid: invalid format - value does not look like a valid VM ID\n\n{USAGE}",
    ),
    (
        ["set", "113", "--ipconfig0", "gw=10.99.0.1"],
        "400 Parameter verification failed.\nipconfig0: invalid format - format error\n"
        "ipconfig0.ip: missing property required by 'ipconfig0.gw'\n\nqm set <vmid> [OPTIONS]\n",
    ),
    (
        ["snapshot", "100", "1bad"],
        "400 Parameter verification failed.\nsnapname: invalid format - invalid configuration ID '1bad'\n\n"
        "qm snapshot <vmid> <snapname> [OPTIONS]\n",
    ),
    (
        ["resize", "100", "scsi0", "foo"],
        "400 Parameter verification failed.\nsize: value does not match the regex pattern\n"
        "qm disk resize <vmid> <disk> <size> [OPTIONS]\n",
    ),
]


@pytest.fixture(autouse=True)
def without_pmxcfs(monkeypatch):
    monkeypatch.setattr(command_line, "prepare_environment", lambda: None, raising=False)


@pytest.mark.parametrize(("argv", "text"), CASES)
def test_malformed_arguments(argv, text, capsys):
    assert qm.main(argv) == 255
    assert capsys.readouterr().err == text


@pytest.mark.parametrize("argv", [["showcmd", "100", "--pretty"], ["enroll-efi-keys", "100"], ["import", "1", "x"]])
def test_what_is_not_emulated_says_so(argv, capsys):
    assert qm.main(argv) == 97
    assert capsys.readouterr().err.startswith("practice node: not emulated: qm ")


def test_snapshot_tree(capsys, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    print_snapshot_tree(
        [
            {"name": "s1", "snaptime": 1795206681, "description": "first"},
            {"name": "s2", "parent": "s1", "snaptime": 1795206684, "description": ""},
            {"name": "current", "parent": "s2", "description": "You are here!"},
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("`-> s1                          20")
    assert lines[0].endswith("     first")
    assert lines[1].startswith(" `-> s2                         ")
    assert lines[2] == "  `-> current                                           You are here!"
