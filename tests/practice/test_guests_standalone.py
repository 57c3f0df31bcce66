# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines, storages and HA objects on one node: what is made, what is refused, what lies about its success."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest

from busy_machine import allow
from practice_lab import Completed, Lab

IMAGE = "/var/lib/vz/import-src/guest.qcow2"
MAKE_IMAGE = (
    "import sys; sys.path[:0] = ['/usr/lib/practice-node']; from practice_pve.storage import qcow2; "
    f"qcow2.create('{IMAGE}', 67108864)"
)


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab()
    lab.up(["pve1"])
    deadline = time.monotonic() + allow(60)
    while lab.node("pve1").run(["systemctl", "is-active", "pveproxy"]).rc:
        assert time.monotonic() < deadline, "pveproxy does not start"
        time.sleep(0.3)
    sh(lab, f'mkdir -p /var/lib/vz/import-src; python3 -c "{MAKE_IMAGE}"').check()
    return lab


def sh(lab: Lab, script: str) -> Completed:
    return lab.node("pve1").run(["sh", "-c", script], timeout=allow(60))


def config_of(lab: Lab, guest_id: int) -> dict:
    path = f"/nodes/pve1/qemu/{guest_id}/config"
    return json.loads(sh(lab, f"pvesh get {path} --output-format json").check().stdout)


@pytest.fixture
def guest(lab: Lab) -> Callable[..., int]:
    made: list[int] = []

    def make(options: str = "") -> int:
        guest_id = 200 + len(made)
        sh(lab, f"qm create {guest_id} --memory 64 {options}").check()
        made.append(guest_id)
        return guest_id

    yield make
    for guest_id in reversed(made):
        sh(lab, f"qm unlock {guest_id}; qm stop {guest_id}; qm set {guest_id} --protection 0; qm destroy {guest_id}")


def test_one_call_makes_a_machine_from_an_image(lab: Lab, guest: Callable[..., int]):
    guest_id = guest(f"--name web --net0 virtio,bridge=vmbr0 --tags 'z,A;a' --scsi0 local:0,import-from={IMAGE}")
    config = config_of(lab, guest_id)
    assert config["scsi0"] == f"local:{guest_id}/vm-{guest_id}-disk-0.raw,size=64M"
    assert config["boot"] == "order=scsi0;net0"
    assert config["tags"] == "a;z"
    assert config["memory"] == "64"
    assert re.fullmatch(r"virtio=BC:24:11(:[0-9A-F]{2}){3},bridge=vmbr0", config["net0"])
    assert sh(lab, f"stat -c %s /var/lib/vz/images/{guest_id}/vm-{guest_id}-disk-0.raw").stdout == "67108864\n"


def test_a_failed_creation_leaves_nothing(lab: Lab):
    answer = sh(lab, "qm create 290 --scsi0 local:1 --scsi1 local:0,import-from=/nosuch.img")
    assert (answer.rc, answer.stderr) == (255, "unable to create VM 290 - can't find file '/nosuch.img'\n")
    assert sh(lab, "qm status 290").rc == 2
    assert sh(lab, "ls /var/lib/vz/images/290").rc == 2


def test_an_id_is_taken_once(lab: Lab, guest: Callable[..., int]):
    guest_id = guest()
    answer = sh(lab, f"qm create {guest_id}")
    assert answer.rc == 255
    assert answer.stderr == f"unable to create VM {guest_id} - VM {guest_id} already exists on node 'pve1'\n"
    assert sh(lab, "pvesh get /cluster/nextid").stdout == "100\n"
    assert f"vmid: VM {guest_id} already exists" in sh(lab, f"pvesh get /cluster/nextid --vmid {guest_id}").stderr


def test_the_same_card_again_is_another_card(lab: Lab, guest: Callable[..., int]):
    guest_id = guest("--net0 virtio,bridge=vmbr0")
    before = config_of(lab, guest_id)["net0"]
    answer = sh(lab, f"qm set {guest_id} --net0 virtio,bridge=vmbr0")
    assert (answer.rc, answer.stdout) == (0, f"update VM {guest_id}: -net0 virtio,bridge=vmbr0\n")
    assert config_of(lab, guest_id)["net0"] != before


def test_resize_and_template_exit_with_0_although_they_failed(lab: Lab, guest: Callable[..., int]):
    guest_id = guest("--scsi0 local:1")
    answer = sh(lab, f"qm resize {guest_id} scsi0 10M")
    assert (answer.rc, answer.stderr) == (0, "shrinking disks is not supported\n")
    answer = sh(lab, f"qm resize {guest_id} scsi9 +1M")
    assert (answer.rc, answer.stderr) == (0, "disk 'scsi9' does not exist\n")
    status = sh(lab, "pvesh get /nodes/pve1/tasks --limit 1 --output-format json").check().stdout
    assert json.loads(status)[0]["status"] == "disk 'scsi9' does not exist"
    assert config_of(lab, guest_id)["scsi0"].endswith("size=1G")


def test_a_started_machine_is_a_process(lab: Lab, guest: Callable[..., int]):
    guest_id = guest()
    sh(lab, f"qm start {guest_id}").check()
    listed = sh(lab, f"qm list | grep ' {guest_id} '").stdout.split()
    assert listed[3] == "running"
    answer = sh(lab, f"qm start {guest_id}")
    assert (answer.rc, answer.stderr) == (255, f"VM {guest_id} already running\n")
    answer = sh(lab, f"qm destroy {guest_id}")
    assert (answer.rc, answer.stderr) == (25, f"VM {guest_id} is running - destroy failed\n")
    sh(lab, f"kill -9 {listed[-1]}").check()
    assert sh(lab, f"sleep 0.2; qm status {guest_id}").stdout == "status: stopped\n"


def test_changes_to_a_running_machine_are_pending(lab: Lab, guest: Callable[..., int]):
    guest_id = guest("--name old")
    sh(lab, f"qm start {guest_id}; qm set {guest_id} --memory 128 --name new").check()
    assert config_of(lab, guest_id)["memory"] == "128"
    pending = sh(lab, f"qm pending {guest_id}").stdout.splitlines()
    assert "cur memory: 64" in pending
    assert "new memory: 128" in pending
    assert "cur name: new" in pending
    sh(lab, f"qm stop {guest_id}; qm start {guest_id}").check()
    assert "cur memory: 128" in sh(lab, f"qm pending {guest_id}").stdout.splitlines()


def test_a_lock_stops_everything(lab: Lab, guest: Callable[..., int]):
    guest_id = guest()
    sh(lab, f"qm set {guest_id} --lock backup").check()
    for command in (f"set {guest_id} --memory 80", f"start {guest_id}", f"clone {guest_id} 299", f"destroy {guest_id}"):
        answer = sh(lab, f"qm {command}")
        assert (answer.rc, answer.stderr) == (255, "VM is locked (backup)\n"), command


def test_a_held_configuration_times_out(lab: Lab, guest: Callable[..., int]):
    guest_id = guest()
    path = f"/var/lock/qemu-server/lock-{guest_id}.conf"
    answer = sh(lab, f"flock {path} sleep 14 & sleep 0.5; qm set {guest_id} --memory 80; code=$?; kill %1; exit $code")
    assert answer.rc == 255
    assert f"can't lock file '{path}' - got timeout\n" in answer.stderr


def test_linked_clones_keep_their_template(lab: Lab, guest: Callable[..., int]):
    guest_id = guest("--scsi0 local:1,format=qcow2")
    sh(lab, f"qm template {guest_id}; qm clone {guest_id} 250 --name copy").check()
    config = config_of(lab, 250)
    assert config["scsi0"] == f"local:{guest_id}/base-{guest_id}-disk-0.qcow2/250/vm-250-disk-0.qcow2,size=1G"
    answer = sh(lab, f"qm destroy {guest_id}")
    assert "is still in use by linked cloned" in answer.stderr
    assert answer.rc == 255
    sh(lab, "qm destroy 250").check()


def test_a_password_is_hidden_and_hashed_on_change(lab: Lab, guest: Callable[..., int]):
    guest_id = guest("--cipassword first")
    stored = f"grep cipassword /etc/pve/qemu-server/{guest_id}.conf"
    assert sh(lab, stored).stdout == "cipassword: first\n"
    answer = sh(lab, f"qm set {guest_id} --cipassword second")
    assert answer.stdout == f"update VM {guest_id}: -cipassword <hidden>\n"
    assert sh(lab, stored).stdout.startswith("cipassword: $5$")
    assert config_of(lab, guest_id)["cipassword"] == "**********"


def test_storages_are_defined_once(lab: Lab):
    sh(lab, "pvesm add dir d1 --path /srv/d1 --content images,iso").check()
    answer = sh(lab, "pvesm add dir d1 --path /srv/d1")
    assert (answer.rc, answer.stderr) == (255, "create storage failed: storage ID 'd1' already defined\n")
    sh(lab, "pvesm alloc d1 260 vm-260-disk-0.raw 10M").check()
    assert "d1:260/vm-260-disk-0.raw" in sh(lab, "pvesm list d1").stdout
    assert sh(lab, "pvesm free d1:260/vm-260-disk-0.raw").rc == 0
    missing = sh(lab, "pvesm free d1:260/vm-260-disk-0.raw")
    assert missing.rc == 0, "PVE removes what is not there"
    sh(lab, "pvesm remove d1").check()


def test_ha_objects(lab: Lab, guest: Callable[..., int]):
    guest_id = guest()
    sh(lab, f"ha-manager add vm:{guest_id} --state stopped").check()
    assert sh(lab, "ha-manager config").stdout == f"vm:{guest_id}\n\tstate stopped\n\n"
    answer = sh(lab, f"qm destroy {guest_id}")
    assert "used in HA resources and purge parameter not set." in answer.stderr
    answer = sh(lab, "ha-manager groupconfig")
    assert (answer.rc, answer.stderr) == (2, "cannot index groups: ha groups have been migrated to rules\n")
    sh(lab, f"ha-manager remove vm:{guest_id}").check()


def test_a_container_lives_and_is_copied(lab: Lab):
    archive = "/var/lib/vz/template/cache/debian-13-small.tar.gz"
    sh(lab, f"mkdir -p /tmp/root/bin /var/lib/vz/template/cache; tar -C /tmp/root -czf {archive} .").check()
    made = sh(lab, "pct create 280 local:vztmpl/debian-13-small.tar.gz --hostname small --rootfs local:1").check()
    assert "Creating filesystem with 262144 4k blocks and 65536 inodes" in made.stdout
    sh(lab, "pct start 280").check()
    assert "already running" in sh(lab, "pct start 280").stderr
    assert sh(lab, "pct status 280").stdout == "status: running\n"
    refused = sh(lab, "pct destroy 280")
    assert (refused.rc, refused.stderr) == (255, "unable to destroy CT 280 - container is running\n")
    assert "unable to shrink disk size" in sh(lab, "pct resize 280 rootfs 1M").stderr
    sh(lab, "pct resize 280 rootfs +1G && pct set 280 --mp0 local:1,mp=/data && pct shutdown 280").check()
    sh(lab, "pct clone 280 281 --hostname copy && pct template 281").check()
    assert "Linked clone feature" in sh(lab, "pct clone 281 282").stderr
    config = sh(lab, "pct config 281").stdout
    assert "rootfs: local:281/base-281-disk-1.raw,size=2G" in config and "mp0: local:281/base-281-disk-0.raw" in config
    sh(lab, "pct set 280 --delete mp0").check()
    assert "unused0: local:280/vm-280-disk-1.raw" in sh(lab, "pct config 280").stdout
    sh(lab, "pct destroy 280 && pct destroy 281").check()
    assert "vm-28" not in sh(lab, "pvesm list local").stdout


def test_what_is_not_emulated_says_so(lab: Lab):
    for command in ("qm showcmd 100", "pct snapshot 100 a", "pvesm scan nfs x"):
        answer = sh(lab, command)
        assert answer.rc == 97, command
        assert answer.stderr.startswith("practice node: not emulated: ")
