# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on the machine of the tests, which is no guest with an agent: it has to say so and change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMES = Path("/sys/class/virtio-ports").glob("*/name")
IS_A_GUEST = any(name.read_text().strip() == "org.qemu.guest_agent.0" for name in NAMES)
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")

pytestmark = [
    pytest.mark.skipif(not PLAYBOOK.exists(), reason="no ansible-playbook beside this Python"),
    pytest.mark.skipif(IS_A_GUEST, reason="this machine has a port for an agent"),
]


def play(tmp_path: Path, *variables: str) -> subprocess.CompletedProcess[str]:
    collections = tmp_path / "ansible_collections" / "baremetal"
    collections.mkdir(parents=True)
    (collections / "proxmox").symlink_to(ROOT)
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(tmp_path),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
    }
    extra = [word for variable in variables for word in ("-e", variable)]
    return subprocess.run(
        [
            PLAYBOOK,
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            "guests=localhost ansible_become=false",
            *extra,
            "baremetal.proxmox.install_guest_agent",
        ],
        env={**environment, "LC_ALL": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_port_it_says_what_to_do_and_installs_nothing(tmp_path: Path):
    done = play(tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "qm set VMID --agent enabled=1" in done.stdout
    assert "changed=0" in done.stdout
    assert "Install" not in done.stdout.partition("fatal:")[2]


def test_windows_is_refused(tmp_path: Path):
    done = play(tmp_path, "ansible_shell_type=powershell")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "does not serve Windows" in done.stdout


def test_two_lists_at_once_are_refused(tmp_path: Path):
    lists = '{"qemu_guest_agent_block_rpcs": ["guest-exec"], "qemu_guest_agent_allow_rpcs": ["guest-ping"]}'
    done = play(tmp_path, lists)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "not both" in done.stdout
