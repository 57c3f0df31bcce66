# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A third vote for two nodes, from a real corosync-qnetd. The tests stand in the order of the cluster's life."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from node_looks import WRITABLE, shell, wait_until
from playbook_runs import Controller
from practice_lab import Lab
from practice_lab.qnetd import install_qnetd

NODES = ["pve1", "pve2"]


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab().up([*NODES, "qnetd"])
    install_qnetd(lab.node("qnetd"))
    return lab


def write_inventory(controller: Controller, nodes: list[str]) -> None:
    controller.write_inventory(nodes)
    host = controller.lab.node("qnetd")
    with controller.inventory.open("a") as file:
        file.write(f"\n[proxmox_qnetd]\nqnetd ansible_host={host.ip} ansible_password={host.spec.password}\n")
        file.write(f"[proxmox_qnetd:vars]\nansible_user=root\nansible_ssh_private_key_file={controller.key}\n")


@pytest.fixture(scope="module")
def controller(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    controller = make_controller(lab)
    write_inventory(controller, NODES)
    controller.play("create-proxmox-cluster").check()
    return controller


def votes(lab: Lab, node: str) -> tuple[int, int]:
    """Expected and total."""
    lines = shell(lab, node, "corosync-quorumtool -s").splitlines()
    found = {line.split(":")[0]: line.split(":")[1].split()[0] for line in lines if ":" in line}
    return int(found["Expected votes"]), int(found["Total votes"])


def test_without_its_host_key_the_host_is_not_trusted(lab: Lab, controller: Controller) -> None:
    play = controller.home / "direct.yml"
    task = {"baremetal.proxmox.proxmox_qdevice": {"address": lab.node("qnetd").ip}}
    play.write_text(json.dumps([{"hosts": "pve1", "gather_facts": False, "tasks": [task]}]))
    assert "cannot log in to" in controller.play(str(play)).refused().words
    assert shell(lab, "pve1", "grep -c qdevice /etc/corosync/corosync.conf || true") == "0"


def test_the_device_votes(lab: Lab, controller: Controller) -> None:
    controller.make("qdevice").check()
    assert votes(lab, "pve1") == votes(lab, "pve2") == (3, 3)
    assert "Cluster" in shell(lab, "qnetd", "corosync-qnetd-tool -l")


def test_the_second_run_changes_nothing(controller: Controller) -> None:
    assert set(controller.make("qdevice").check().changed.values()) == {0}


def test_one_node_off_and_the_other_still_writes(lab: Lab, controller: Controller) -> None:
    lab.node("pve2").kill()
    wait_until(lambda: votes(lab, "pve1")[1] == 2)
    shell(lab, "pve1", WRITABLE)
    lab.up()
    shell(lab, "pve2", WRITABLE)


def test_a_third_node_joins_without_the_device_and_it_stays_off(lab: Lab, controller: Controller) -> None:
    lab.up(["pve3"])
    write_inventory(controller, [*NODES, "pve3"])
    controller.play("create-proxmox-cluster").check()
    assert votes(lab, "pve1") == votes(lab, "pve3") == (3, 3)
    assert shell(lab, "pve1", "grep -c device /etc/corosync/corosync.conf || true") == "0"


def test_an_odd_number_is_refused_with_the_reason(controller: Controller) -> None:
    assert "an odd number survives without a device" in controller.make("qdevice").refused().words


def test_it_is_taken_off_and_put_back_around_a_removal(lab: Lab, controller: Controller) -> None:
    controller.make("qdevice", "ARGS=-e proxmox_qdevice_odd_members=allow").check()
    assert votes(lab, "pve1") == (5, 5)
    controller.make("remove-node", "NODE=pve3", "CONFIRM=pve3").check()
    assert votes(lab, "pve1") == votes(lab, "pve2") == (3, 3)
    assert "ffsplit" in shell(lab, "pve1", "cat /etc/corosync/corosync.conf")


def test_a_killed_setup_is_finished_by_the_next_run(lab: Lab, controller: Controller) -> None:
    write_inventory(controller, NODES)
    shell(lab, "pve2", "systemctl disable --now corosync-qdevice")
    assert any(controller.make("qdevice").check().changed.values())
    assert votes(lab, "pve2") == (3, 3)


def test_it_is_taken_off_and_put_back_around_a_member_that_was_installed_anew(lab: Lab, controller: Controller) -> None:
    lab.reinstall("pve2")
    controller.run(["ssh-keygen", "-R", lab.node("pve2").ip, "-f", str(controller.known_hosts)]).check()
    controller.make("rejoin-node", "NODE=pve2", "CONFIRM=pve2").check()
    assert votes(lab, "pve1") == votes(lab, "pve2") == (3, 3)


def test_it_is_taken_off(lab: Lab, controller: Controller) -> None:
    controller.make("qdevice", "STATE=absent").check()
    assert votes(lab, "pve1") == votes(lab, "pve2") == (2, 2)
    assert shell(lab, "pve2", "ls /etc/corosync/qdevice 2>&1 || true").endswith("No such file or directory")
    assert set(controller.make("qdevice", "STATE=absent").check().changed.values()) == {0}


def test_destroying_the_cluster_takes_it_off_first(lab: Lab, controller: Controller) -> None:
    controller.make("qdevice").check()
    controller.make("destroy-cluster", "CONFIRM=destroy").check()
    for node in NODES:
        assert shell(
            lab, node, "ls /etc/corosync | grep -v uidgid.d; systemctl is-active corosync-qdevice || true"
        ).split() == ["inactive"]
    assert "Cluster" not in shell(lab, "qnetd", "corosync-qnetd-tool -l")
