# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that Proxmox VE itself must notice: leftovers, guests, versions, an /etc/pve that takes no writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from busy_machine import allow
from practice_lab import Lab, LabError


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab().up(["pve1", "pve2"])
    if lab.node("pve1").run(["mountpoint", "-q", "/etc/pve"]).rc != 0:
        pytest.fail("/etc/pve is not mounted in a practice node")
    return lab


@pytest.fixture(autouse=True)
def whole_again(lab: Lab):
    yield
    lab.heal()
    assert lab.faults() == []
    lab.node("pve1").run(["sh", "-c", "echo >/etc/pve/probe && rm /etc/pve/probe"]).check()


def join(lab: Lab, node: str, target: str) -> str:
    """What a join attempt complains about."""
    done = lab.node(node).run(["pvecm", "add", target], stdin="pvelab\nyes\n", timeout=allow(60))
    return done.stdout + done.stderr


def test_a_guest_stands_in_the_way_of_a_join(lab: Lab):
    with lab.fault("guest", "pve1", vmid=123):
        assert (
            "/etc/pve/nodes/pve1/qemu-server/123.conf"
            in lab.node("pve1").run(["sh", "-c", "ls /etc/pve/nodes/*/*/*.conf"]).stdout
        )
        assert '"123"' in lab.node("pve1").run(["cat", "/etc/pve/.vmlist"]).stdout
        assert "this host already contains virtual guests" in join(lab, "pve1", "10.99.0.12")
    assert '"123"' not in lab.node("pve1").run(["cat", "/etc/pve/.vmlist"]).stdout


def test_a_container_and_a_stale_copy_of_another_nodes_guest(lab: Lab):
    lab.fault("guest", "pve1", vmid=200, type="lxc")
    lab.fault("guest", "pve1", vmid=300, owner="gone")
    vmlist = json.loads(lab.node("pve1").run(["cat", "/etc/pve/.vmlist"]).stdout)["ids"]
    assert vmlist["200"]["type"] == "lxc" and vmlist["300"]["node"] == "gone"
    with pytest.raises(LabError, match="already"):
        lab.fault("guest", "pve1", vmid=300, owner="gone")
    lab.heal()
    assert lab.node("pve1").run(["ls", "/etc/pve/nodes"]).stdout == "pve1\n"


def test_leftovers_of_a_cluster_stand_in_the_way_of_a_join(lab: Lab):
    lab.fault("leftover-authkey", "pve1")
    lab.fault("leftover-corosync-conf", "pve1")
    complaints = join(lab, "pve1", "10.99.0.12")
    assert "authentication key '/etc/corosync/authkey' already exists" in complaints
    assert "cluster config '/etc/pve/corosync.conf' already exists" in complaints
    lab.heal()
    for path in ("/etc/corosync/authkey", "/etc/pve/corosync.conf", "/etc/corosync/corosync.conf"):
        assert lab.node("pve1").run(["test", "-e", path]).rc == 1, path


def test_another_major_version(lab: Lab):
    with lab.fault("version", "pve1", version="8.4.1"):
        assert lab.node("pve1").run(["pveversion"]).stdout.startswith("pve-manager/8.4.1/")
        assert lab.node("pve2").run(["pveversion"]).stdout.startswith("pve-manager/9.")
    assert lab.node("pve1").run(["pveversion"]).stdout.startswith("pve-manager/9.")


def test_a_single_node_with_etc_pve_read_only(lab: Lab):
    with lab.fault("read-only", "pve1"):
        assert lab.node("pve1").run(["sh", "-c", "echo x >/etc/pve/new"]).rc != 0
        assert "local" in lab.node("pve1").run(["cat", "/etc/pve/storage.cfg"]).stdout


def test_a_hung_api_answers_nobody(lab: Lab):
    # Without a ticket an answer takes its 3 s.
    url = "https://10.99.0.11:8006/api2/json/version"
    ask = ["curl", "-sk", "-m", "8", "-o", "/dev/null", "-w", "%{http_code}", url]
    assert lab.node("pve2").run(ask).stdout == "401"
    with lab.fault("hang", "pve1", unit="pveproxy"):
        assert lab.node("pve2").run(ask).rc == 28
    assert lab.node("pve2").run(ask).stdout == "401"


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + allow(seconds)
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


def test_a_member_loses_quorum_with_udp_or_with_corosync(lab: Lab):
    """SSH still works, /etc/pve does not: the partition that administrators meet. The last test: it leaves a cluster."""
    first, second = lab.node("pve1"), lab.node("pve2")

    def writable() -> bool:
        return first.run(["sh", "-c", "echo >/etc/pve/probe && rm /etc/pve/probe"], timeout=30).rc == 0

    first.run(["pvecm", "create", "test"], timeout=allow(60)).check()
    assert wait_for(writable)
    second.run(["pvecm", "add", "10.99.0.11"], stdin="pvelab\nyes\n", timeout=allow(120)).check()
    assert wait_for(lambda: "Total votes:      2" in first.run(["pvecm", "status"]).stdout) and wait_for(writable)
    for fault, options in (("cut", {"protocol": "udp"}), ("read-only", {})):
        with lab.fault(fault, "pve1", **options):
            assert wait_for(lambda: not writable()), fault
            assert "Permission denied" in first.run(["sh", "-c", "echo >/etc/pve/probe"]).stderr
            assert lab.ssh("pve1", "ls /etc/pve/nodes").stdout.split() == ["pve1", "pve2"]
        assert wait_for(writable), fault
