# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys are kept in a file, and in nothing else that has the file's name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import HostKeys, require_key
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.known_hosts_file import NotAFile, pin_in_file

KEY = require_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCBub3QgYSByZWFsIGtleSBhdCBhbGwsIG5v")
HOST = HostKeys(("192.0.2.1",), (KEY,))


def test_a_key_is_kept_once(tmp_path: Path):
    path = tmp_path / "new" / "known_hosts"
    assert pin_in_file(str(path), HOST) is True
    assert "192.0.2.1 ssh-ed25519 " in path.read_text(encoding="utf-8")
    assert pin_in_file(str(path), HOST) is False


def test_a_link_stays_one(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "known_hosts"
    link.symlink_to("elsewhere/known_hosts")
    assert pin_in_file(str(link), HOST) is True
    assert link.is_symlink() and (tmp_path / "elsewhere" / "known_hosts").is_file()


def test_what_is_no_file_is_left_alone(tmp_path: Path):
    pipe = tmp_path / "null"
    os.mkfifo(pipe)
    with pytest.raises(NotAFile, match="UserKnownHostsFile="):
        pin_in_file(str(pipe), HOST)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with pytest.raises(NotAFile):
        pin_in_file("none", HOST)
