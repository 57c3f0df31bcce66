# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole Debian as a guest: cloud-init from PVE's drive, a login, and the agent from Debian's package."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from busy_machine import allow
from practice_lab import Completed, Lab

ADDRESS = "10.99.0.200"
CREATE = (
    "qm create 200 --name deb.example.org --memory 768 --cores 2 --net0 virtio,bridge=vmbr0 --scsihw virtio-scsi-pci --agent 1"
    " --scsi0 local:0,import-from=/usr/share/practice-node/guests/debian13.raw --ide2 local:cloudinit"
    f" --ipconfig0 ip={ADDRESS}/24,gw=10.99.0.1 --nameserver 10.99.0.1 --ciupgrade 0 --ciuser debian --sshkeys /root/guest.pub && qm start 200"
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("key") / "guest"


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab], key: Path) -> Lab:
    lab = make_lab().up(["pve1"], settings={"guests": "debian13"})
    lab.exec(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]).check()
    lab.node("pve1").copy_in(key.with_suffix(".pub"), "/root/guest.pub")
    sh(lab, CREATE).check()
    deadline = time.monotonic() + allow(120)
    while log_in(lab, key, "true").rc:
        assert time.monotonic() < deadline, "nobody can log in to the guest"
        time.sleep(1)
    return lab


def sh(lab: Lab, script: str) -> Completed:
    return lab.node("pve1").run(["sh", "-c", script], timeout=allow(120))


def log_in(lab: Lab, key: Path, script: str) -> Completed:
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=3", "LogLevel=ERROR"]
    settings = [word for option in options for word in ("-o", option)]
    return lab.exec(["ssh", "-i", str(key), *settings, f"debian@{ADDRESS}", script], timeout=allow(300))


def test_cloud_init_reads_the_drive(lab: Lab, key: Path):
    assert json.loads(log_in(lab, key, "cloud-init status --wait --format json").stdout)["status"] == "done"
    assert log_in(lab, key, "hostname --fqdn").check().stdout == "deb.example.org\n"
    assert log_in(lab, key, "sudo id --user").check().stdout == "0\n"


def test_the_port_is_there_and_nobody_listens(lab: Lab, key: Path):
    log_in(lab, key, "test -e /dev/virtio-ports/org.qemu.guest_agent.0").check()
    assert sh(lab, "qm agent 200 ping").stderr == "QEMU guest agent is not running\n"


def test_the_agent_comes_from_the_repository_inside(lab: Lab, key: Path):
    log_in(lab, key, "sudo apt-get --quiet=2 update && sudo apt-get --quiet=2 --yes install qemu-guest-agent").check()
    assert log_in(lab, key, "systemctl is-enabled qemu-guest-agent").stdout == "static\n"
    log_in(lab, key, "sudo systemctl start qemu-guest-agent").check()
    sh(lab, "qm agent 200 ping").check()
    system = json.loads(sh(lab, "qm guest cmd 200 get-osinfo").check().stdout)
    assert (system["id"], system["version-id"]) == ("debian", "13")


def test_a_password_is_set_in_the_guest(lab: Lab, key: Path):
    sh(lab, "printf 'newpass123\\nnewpass123\\n' | qm guest passwd 200 root").check()
    assert log_in(lab, key, "sudo passwd --status root").check().stdout.startswith("root P ")


def test_a_shutdown_ends_the_process(lab: Lab):
    sh(lab, f"qm shutdown 200 --timeout {int(allow(60))}").check()
    assert sh(lab, "qm status 200").stdout == "status: stopped\n"
