# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preflight has to find, planted on practice nodes. One lab: every test plants several things and heals them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from node_looks import WRITABLE, shell
from playbook_runs import Controller, PlayRun
from practice_lab import Lab
from practice_lab.spec import LabSpec

NODES = ["pve1", "pve2", "pve3", "pve4"]
Finding = tuple[str, str, str]


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up(NODES, LabSpec(networks=["10.99.0.0/24", "10.99.1.0/24"]))


@pytest.fixture(scope="module")
def founder(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    """A controller whose keys are known everywhere, so that one run costs little."""
    return make_controller(lab)


@pytest.fixture
def controller(lab: Lab, founder: Controller) -> Iterator[Controller]:
    founder.variables, founder.cluster_name = {}, "labcluster"
    founder.write_inventory()
    yield founder
    lab.heal()


Plant = Callable[[str, str, str], None]


@pytest.fixture
def plant(lab: Lab) -> Iterator[Plant]:
    """plant(node, command, command that takes it away again)"""
    undo: list[tuple[str, str]] = []

    def do(node: str, command: str, heal: str) -> None:
        undo.append((node, heal))
        shell(lab, node, command)

    yield do
    for node, heal in reversed(undo):
        shell(lab, node, heal)


def preflight(controller: Controller, *arguments: str) -> PlayRun:
    run = controller.play("preflight", *arguments)
    assert (run.rc != 0) == any(severity == "error" for severity, _node, _code in run.findings), run.output[-6000:]
    return run


def planted(findings: set[Finding]) -> set[Finding]:
    """Without what the machine itself brings: no time server, and slow answers when it is busy."""
    return {finding for finding in findings if finding[2] not in ("clock_unsynchronized", "latency", "packet_loss")}


def test_nothing_is_found_on_fresh_nodes(lab: Lab, controller: Controller) -> None:
    assert planted(preflight(controller).findings) == set()


def test_what_lies_on_the_nodes(lab: Lab, controller: Controller, plant: Plant) -> None:
    plant("pve3", "true", "rm -rf /etc/pve/nodes/oldnode")
    lab.fault("guest", "pve2", vmid=101)
    lab.fault("guest", "pve3", vmid=102, owner="oldnode")
    lab.fault("leftover-authkey", "pve4")
    storage = "dir: mine\\n\\tpath /srv\\n\\tcontent iso\\n\\n"
    plant("pve2", f"printf '{storage}' >> /etc/pve/storage.cfg", "pvesm remove mine")
    plant("pve2", "pveum user add x@pve && pveum user token add x@pve robot", "pveum user delete x@pve")
    updates = "/var/lib/pve-manager/pkgupdates"
    content = '[{"Package": "pve-cluster", "Version": "9.9"}]'
    plant("pve3", f"mkdir -p /var/lib/pve-manager && echo '{content}' > {updates}", f"rm {updates}")
    plant("pve3", "mkdir -p /etc/cloud && echo 'manage_etc_hosts: true' > /etc/cloud/cloud.cfg", "rm -r /etc/cloud")
    hard = "/etc/ssh/sshd_config.d/00-hard.conf"
    plant("pve4", f"echo 'PermitRootLogin no' > {hard}", f"rm {hard}")
    run = preflight(controller)
    assert planted(run.findings) == {
        ("error", "pve2", "guests"),
        ("warning", "pve2", "erased_by_join"),
        ("error", "pve3", "stale_guests"),
        ("warning", "pve3", "leftovers"),
        ("warning", "pve3", "pending_upgrade"),
        ("warning", "pve3", "cloud_init_hosts"),
        ("warning", "pve4", "leftovers"),
        ("error", "pve4", "root_login"),
    }
    assert "(101)" in run.words and "(102)" in run.words and "storages mine" in run.words
    assert "users x@pve; API tokens" in run.words and "'oldnode'" in run.words
    assert "nothing was changed" in run.words


def test_names_and_addresses(lab: Lab, controller: Controller, plant: Plant) -> None:
    lab.fault("loopback-name", "pve1")
    plant("pve2", "cp /etc/hosts /root/hosts && sed -i /pve2/d /etc/hosts", "cp /root/hosts /etc/hosts")
    controller.variables = {"pve4": {"hostname": "other.lab.local", "link0": "10.99.0.13"}}
    controller.variables["pve3"] = {"link0": "10.99.0.13"}
    controller.cluster_name = "a-name-too-long-"
    controller.write_inventory()
    run = preflight(controller)
    assert {
        ("error", "pve1", "own_name"),
        ("error", "pve2", "own_name"),
        ("warning", "pve4", "hostname"),
        ("error", "pve4", "link_address"),
        ("error", "pve4", "duplicate_address"),
        ("error", "all", "cluster_name"),
    } <= run.findings
    assert "127.0.1.1" in run.words and "does not resolve" in run.words and "has 16 characters" in run.words
    assert "is not valid" in run.words  # the dash at its end


def test_a_clock_that_is_wrong_and_a_name_of_fifteen_characters(lab: Lab, controller: Controller) -> None:
    """The node whose clock differs from all others is the one that is named; the longest name is allowed."""
    lab.fault("clock", "pve3", seconds=300)
    controller.cluster_name = "fifteen-letters"
    controller.write_inventory()
    assert planted(preflight(controller).findings) == {("error", "pve3", "clock")}


def test_the_network(lab: Lab, controller: Controller) -> None:
    """Every way between two nodes is probed by itself, so each cut shows where it is."""
    lab.fault("cut", "pve1", direction="in", protocol="udp", port=5405, peer="pve2")
    lab.fault("cut", "pve3", direction="in", protocol="tcp", port=8006, peer="pve4")
    run = preflight(controller)
    found = planted(run.findings)
    assert {(severity, code) for severity, _node, code in found} == {("error", "udp"), ("error", "tcp")}
    assert {node for _severity, node, code in found if code == "udp"} & {"pve1", "pve2"}
    assert ("error", "pve4", "tcp") in found
    assert not {("error", "pve3", "udp"), ("error", "pve4", "udp")} & found
    assert "UDP port 5405" in run.words and "TCP port 8006" in run.words


def test_a_path_that_swallows_large_packets(lab: Lab, controller: Controller) -> None:
    lab.fault("mtu", "pve4", bytes=1400, link=1)
    controller.variables = {
        node: {"link0": f"10.99.0.1{number}", "link1": f"10.99.1.1{number}"}
        for number, node in enumerate(NODES, start=1)
    }
    controller.write_inventory()
    found = planted(preflight(controller).findings)
    assert ("error", "pve4", "mtu") in found and {code for _severity, _node, code in found} == {"mtu"}


def test_versions_and_hosts_that_are_no_nodes(lab: Lab, controller: Controller, plant: Plant) -> None:
    lab.fault("version", "pve2", version="8.4.1")
    plant("pve3", "mv /usr/bin/pveversion /root/", "mv /root/pveversion /usr/bin/")
    keys = "/home/admin/.ssh/authorized_keys"
    plant("pve4", "useradd -m admin && passwd -d admin && mkdir /home/admin/.ssh", "userdel -rf admin 2>/dev/null")
    lab.node("pve4").run(["sh", "-c", f"cat > {keys}"], stdin=controller.key.with_suffix(".pub").read_text()).check()
    controller.variables = {"pve4": {"ansible_user": "admin", "ansible_become": "false"}}
    controller.write_inventory()
    found = preflight(controller).findings
    assert {("error", "all", "mixed_majors"), ("error", "pve3", "no_proxmox"), ("error", "pve4", "not_root")} <= found


def test_a_host_key_that_changed_and_a_node_that_is_off(lab: Lab, controller: Controller) -> None:
    lab.fault("host-key", "pve2")
    lab.node("pve3").kill()
    run = preflight(controller)
    lab.up()
    assert ("error", "pve2", "unreachable") in run.findings and ("error", "pve3", "unreachable") in run.findings
    assert (
        "pve2 does not present" in run.words or "10.99.0.12 does not present the host key it is known by" in run.words
    )
    assert f"ssh-keygen -R '10.99.0.12' -f {controller.known_hosts}" in run.words


def test_a_disk_that_is_nearly_full(lab: Lab, controller: Controller) -> None:
    with lab.fault("full-disk", "pve4", free=20 * 2**20):
        found = planted(preflight(controller).findings)
    assert ("error", "pve4", "disk_space") in found


def test_two_nodes_of_one_name(lab: Lab, controller: Controller) -> None:
    lab.fault("duplicate-name", "pve4", other="pve3")
    found = preflight(controller).findings
    assert ("error", "pve4", "duplicate_name") in found and ("error", "pve3", "duplicate_name") not in found


def test_nodes_of_clusters(lab: Lab, controller: Controller) -> None:
    """Members of one cluster, of another, without quorum; and what the existing cluster has in store for who joins."""
    shell(
        lab,
        "pve1",
        f"pvecm create labcluster && sleep 1; {WRITABLE}",
    )
    shell(
        lab,
        "pve3",
        f"pvecm create stranger && sleep 1; {WRITABLE}",
    )
    shell(lab, "pve1", "mkdir -p /etc/pve/firewall && printf '[OPTIONS]\\nenable: 1\\n' > /etc/pve/firewall/cluster.fw")
    shell(
        lab,
        "pve1",
        f'systemctl stop pve-ha-lrm; echo \'{{"mode":"active","state":"active","timestamp":{int(time.time())},"results":{{}}}}\' > /etc/pve/nodes/pve1/lrm_status',
    )
    controller.variables = {"pve4": {"link0": "10.99.0.14", "link1": "10.99.0.14"}}
    controller.write_inventory()
    found = planted(preflight(controller).findings)
    assert {
        ("warning", "all", "firewall"),
        ("warning", "pve1", "active_ha"),
        ("error", "pve3", "other_cluster"),
        ("error", "pve4", "links"),
    } <= found
    shell(lab, "pve1", "systemctl stop corosync; sleep 1")
    found = planted(preflight(controller).findings)
    # A cluster of one that lost quorum is its founder's to finish; "no_quorum" needs a member among others.
    assert ("warning", "pve1", "unfinished") in found


def test_a_finding_can_be_lived_with(lab: Lab, controller: Controller) -> None:
    lab.fault("guest", "pve2", vmid=101)
    controller.write_inventory(["pve2", "pve4"])
    controller.variables = {}
    assert ("error", "pve4", "guests") not in preflight(controller).findings
    controller.write_inventory(["pve4", "pve2"])
    assert ("error", "pve2", "guests") in preflight(controller).findings
    lived = preflight(controller, "-e", '{"proxmox_preflight_ignore": ["guests"]}')
    assert lived.rc == 0 and ("warning", "pve2", "guests") in lived.findings
