# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node looks like a freshly installed one, and the lab's commands do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from busy_machine import allow
from practice_lab import Lab

PROGRAM = Path(__file__).resolve().parents[1] / "lab" / "lab"
BOOT_ID = ["cat", "/proc/sys/kernel/random/boot_id"]


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    from practice_lab.root import ensure_root

    ensure_root()
    lab = make_lab()
    started = time.monotonic()
    lab.up(["pve1", "pve2", "pve3"])
    lab.up_seconds = time.monotonic() - started  # type: ignore[attr-defined]
    return lab


def command(lab: Lab, *argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM, "--name", lab.name, *argv], capture_output=True, text=True, check=False, **options
    )


def test_three_nodes_are_up_in_time(lab: Lab):
    assert lab.up_seconds < allow(20)  # type: ignore[attr-defined]
    for node in lab.nodes():
        assert node.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]).stdout == ""


def test_an_idle_node_is_small(lab: Lab):
    assert 1 << 20 < lab.node("pve1").memory() < 250 << 20


def test_a_node_has_its_name_and_addresses(lab: Lab):
    node = lab.node("pve2")
    assert node.run(["hostname"]).stdout == "pve2\n"
    assert node.run(["hostname", "-f"]).stdout == "pve2.lab.local\n"
    assert "10.99.0.12 pve2.lab.local pve2\n" in node.run(["cat", "/etc/hosts"]).stdout
    assert " vmbr0 " in node.run(["ip", "-4", "-o", "address", "show", "to", "10.99.0.12"]).stdout
    assert node.run(["ls", "/sys/class/net/vmbr0/brif"]).stdout == "eno1\n"


def test_nodes_share_no_identity(lab: Lab):
    for path in ("/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub", "/etc/ssh/ssh_host_rsa_key.pub", BOOT_ID[1]):
        assert len({node.run(["cat", path]).check().stdout for node in lab.nodes()}) == 3, path


def test_root_logs_in_with_the_password_and_with_no_other(lab: Lab):
    assert lab.ssh("pve1", "hostname; id -u").check().stdout == "pve1\n0\n"
    wrong = lab.ssh("pve1", "hostname", password="wrong")
    assert (wrong.rc, wrong.stdout) == (255, "")
    assert "Permission denied" in wrong.stderr


def test_nodes_reach_each_other_and_the_controller_reaches_them_by_name(lab: Lab):
    lab.node("pve1").run(["ping", "-c1", "-W2", "10.99.0.13"]).check()
    lab.exec(["ping", "-c1", "-W2", "pve3"]).check()


def test_the_host_has_no_way_into_the_lab(lab: Lab):
    route = subprocess.run(["ip", "route", "get", "10.99.0.11"], capture_output=True, text=True, check=False).stdout
    assert "link0" not in route and "vmbr0" not in route
    assert not list(Path("/sys/class/net").glob("n*l0"))


def test_names_fail_at_once(lab: Lab):
    program = (
        "import socket\ntry: socket.getaddrinfo('www.example.com', 443)\nexcept socket.gaierror as error: print(error)"
    )
    started = time.monotonic()
    assert "Temporary failure in name resolution" in lab.node("pve1").run(["python3", "-c", program]).stdout
    assert time.monotonic() - started < allow(2)


def test_corosync_waits_for_its_configuration(lab: Lab):
    node = lab.node("pve1")
    assert node.run(["systemctl", "is-enabled", "corosync"]).stdout == "enabled\n"
    assert node.run(["systemctl", "is-active", "corosync"]).stdout == "inactive\n"
    assert node.run(["ls", "/etc/corosync/corosync.conf"]).rc == 2


def test_a_node_lacks_what_a_real_one_lacks(lab: Lab):
    for program in ("sshpass", "nc", "sudo", "git", "jq", "corosync-qnetd"):
        assert lab.node("pve1").run(["sh", "-c", f"command -v {program}"]).rc != 0, program


def test_a_command_has_no_more_rights_than_the_node(lab: Lab):
    """Above all not CAP_SYS_TIME: the clock is the host's."""
    node = lab.node("pve1")
    allowed = capabilities(Path(f"/proc/{node.leader()}/status").read_text(), "CapBnd")
    assert not allowed >> 25 & 1
    for kind in ("CapEff", "CapBnd"):
        assert capabilities(node.run(["cat", "/proc/self/status"]).stdout, kind) & ~allowed == 0


def capabilities(status: str, kind: str) -> int:
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{kind}:")), 16)


def test_sh_passes_everything_through(lab: Lab):
    done = command(lab, "sh", "pve1", "--", "sh", "-c", "cat; echo warning >&2; exit 97", input="text\n")
    assert (done.returncode, done.stdout, done.stderr) == (97, "text\n", "warning\n")
    assert command(lab, "sh", "pve1", "--", "pwd").stdout == "/root\n"
    assert command(lab, "sh", "nobody", "--", "true").returncode == 125


def test_exec_passes_everything_through(lab: Lab):
    done = command(lab, "exec", "--", "sh", "-c", "cat; echo warning >&2; exit 41", input="text\n")
    assert (done.returncode, done.stdout, done.stderr) == (41, "text\n", "warning\n")
    assert command(lab, "exec", "--", "no-such-program").returncode == 127


def test_stopping_a_service_leaves_its_namesake_on_other_nodes_alone(lab: Lab):
    lab.node("pve1").run(["systemctl", "stop", "cron"]).check()
    try:
        assert lab.node("pve2").run(["pgrep", "-x", "cron"]).rc == 0
    finally:
        lab.node("pve1").run(["systemctl", "start", "cron"]).check()


def test_inventory_and_ssh_configuration_lead_to_the_nodes(lab: Lab, tmp_path: Path):
    inventory = command(lab, "inventory").stdout
    assert "[proxmox_cluster_primary]\npve1 ansible_host=10.99.0.11 " in inventory
    assert "[proxmox_cluster_nodes]\npve2 " in inventory
    (tmp_path / "config").write_text(command(lab, "ssh-config").stdout)
    done = lab.ssh("pve1", "true", options=["-F", str(tmp_path / "config")])
    assert done.rc == 0


def test_fuse_can_be_mounted(lab: Lab):
    program = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nfd = os.open('/dev/fuse', os.O_RDWR)\nos.makedirs('/tmp/mnt', exist_ok=True)\n"
        "options = f'fd={fd},rootmode=40000,user_id=0,group_id=0'.encode()\n"
        "print(libc.mount(b'/dev/fuse', b'/tmp/mnt', b'fuse', 0, options), libc.umount2(b'/tmp/mnt', 2))"
    )
    assert lab.node("pve1").run(["python3", "-c", program]).stdout == "0 0\n"


def test_a_node_can_be_added_to_a_running_lab(lab: Lab):
    before = lab.node("pve1").run(BOOT_ID).stdout
    lab.up(["pve4"])
    lab.node("pve4").run(["ping", "-c1", "-W2", "10.99.0.11"]).check()
    assert lab.node("pve1").run(BOOT_ID).stdout == before
    assert len(lab.nodes()) == 4


def test_power(lab: Lab):
    node = lab.node("pve3")
    node.run(["sh", "-c", "echo kept >/root/file; touch /run/gone"]).check()
    first = node.run(BOOT_ID).stdout
    node.poweroff()
    assert node.leader() is None
    assert lab.exec(["ping", "-c1", "-W1", "10.99.0.13"]).rc != 0
    node.boot()
    node.wait_ready()
    second = node.run(BOOT_ID).stdout
    node.kill()
    assert node.leader() is None
    lab.up()
    assert len({first, second, node.run(BOOT_ID).stdout}) == 3
    assert node.run(["cat", "/root/file"]).stdout == "kept\n"
    assert node.run(["ls", "/run/gone"]).rc == 2


def test_a_node_can_reboot_itself(lab: Lab):
    node = lab.node("pve3")
    first = node.run(BOOT_ID).stdout
    node.run(["systemctl", "reboot"])
    deadline = time.monotonic() + 30
    while node.leader() is None or node.run(BOOT_ID).stdout in ("", first):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    node.wait_ready()


def test_reinstalled_means_nothing_is_left(lab: Lab):
    node = lab.node("pve3")
    node.run(["touch", "/root/before"]).check()
    read = ["cat", "/etc/ssh/ssh_host_ed25519_key.pub", "/etc/machine-id"]
    before = node.run(read).stdout
    lab.reinstall("pve3")
    after = lab.node("pve3").run(read).stdout
    assert set(before.splitlines()).isdisjoint(after.splitlines())
    assert lab.node("pve3").run(["ls", "/root/before"]).rc == 2
    assert lab.ssh("pve3", "hostname").stdout == "pve3\n"


def test_down_is_quick_and_complete(lab: Lab):
    name = lab.name
    started = time.monotonic()
    lab.down()
    assert time.monotonic() - started < allow(10)
    assert traces(name) == []
    lab.down()


def traces(name: str) -> list[str]:
    """Whatever of a lab is still on this machine."""
    found = [str(path) for path in Path("/run/netns").glob(f"pl-{name}*")]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"pl-{name}" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/pl-{name}*")]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if f"pl-{name}" in Path(f"/proc/{entry}/cmdline").read_text():
                    found.append(entry)
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found
