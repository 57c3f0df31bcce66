# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount points of containers."""

from __future__ import annotations

import importlib

import pytest

from practice_pve.guests.container_volumes import parse_mount, print_file_system, print_mount

# The formats register themselves.
importlib.import_module("practice_pve.guests.container_formats")

GIB = 1 << 30


@pytest.mark.parametrize(
    ("size", "first", "backups"),
    [
        (GIB, "262144 4k blocks and 65536 inodes", "32768, 98304, 163840, 229376"),
        (4 * GIB, "1048576 4k blocks and 262144 inodes", "32768, 98304, 163840, 229376, 294912, 819200, 884736"),
    ],
)
def test_a_file_system_as_recorded(size: int, first: str, backups: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_file_system(size)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Creating filesystem with {first}"
    assert lines[1].startswith("Filesystem UUID: ")
    assert lines[2:] == ["Superblock backups stored on blocks: ", f"\t{backups}"]


@pytest.mark.parametrize(
    ("key", "text"),
    [("rootfs", "local:1/vm-1-disk-0.raw,size=4G"), ("mp0", "local:1/vm-1-disk-1.raw,mp=/data,size=1G")],
)
def test_a_mount_point_is_written_as_it_was_read(key: str, text: str) -> None:
    assert print_mount(key, parse_mount(key, text)) == text
