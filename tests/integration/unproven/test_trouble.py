# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that meet trouble: they say what it is, leave what works as it is, and the next run goes on from there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from playbook_runs import Controller
from practice_lab import Lab

NODES = ["pve1", "pve2", "pve3"]


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up(NODES)


@pytest.fixture(scope="module")
def first(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    return make_controller(lab)


@pytest.fixture(scope="module")
def second(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    """Somebody else's machine, with a key and known hosts of its own."""
    other = make_controller(lab)
    other.write_inventory()
    return other


@pytest.fixture
def controller(lab: Lab, first: Controller) -> Iterator[Controller]:
    first.variables = {}
    first.write_inventory()
    yield first
    lab.heal()


def shell(lab: Lab, node: str, command: str) -> str:
    return lab.node(node).run(["sh", "-c", command], timeout=60).check().stdout.strip()


def view(lab: Lab, node: str) -> dict[str, object]:
    return dict(json.loads(shell(lab, node, "cat /etc/pve/.members")))


def is_quorate_member(lab: Lab, node: str, expected: set[str]) -> bool:
    seen = json.loads(shell(lab, node, "cat /etc/pve/.members"))
    return set(seen.get("nodelist", {})) == expected and seen.get("cluster", {}).get("quorate") == 1


def is_untouched(lab: Lab, node: str) -> bool:
    files = "/etc/corosync/corosync.conf /etc/corosync/authkey /etc/pve/corosync.conf /root/.ssh/authorized_keys2"
    return shell(lab, node, f"ls {files} 2>/dev/null || true") == ""


def test_a_wrong_password_stops_before_anything_is_done(lab: Lab, controller: Controller) -> None:
    controller.variables = {"pve2": {"ansible_password": "not-the-password"}}
    controller.write_inventory()
    run = controller.play("create-proxmox-cluster").refused()
    assert "pve2" in run.output and ("Invalid/incorrect password" in run.output or "Permission denied" in run.output)
    assert "not-the-password" not in run.output
    assert "PHASE 2" not in run.stdout
    assert shell(lab, "pve2", "ls /root/.ssh/authorized_keys2 2>/dev/null || true") == ""


def test_a_wrong_host_key_stops_before_the_password_is_sent(lab: Lab, controller: Controller) -> None:
    with lab.fault("host-key", "pve2"):
        run = controller.play("create-proxmox-cluster").refused()
        assert "does not present the host key it is known by" in run.words
        assert f"ssh-keygen -R '{lab.node('pve2').ip}' -f {controller.known_hosts}" in run.words
        assert "PHASE 2" not in run.stdout and is_untouched(lab, "pve2")


def test_a_fingerprint_in_the_inventory_is_compared(lab: Lab, make_controller: Callable[..., Controller]) -> None:
    fresh = make_controller(lab)
    fresh.variables = {"pve3": {"ssh_host_fingerprint": "SHA256:" + "A" * 43}}
    fresh.write_inventory()
    run = fresh.play("create-proxmox-cluster").refused()
    assert "pve3" in run.output or lab.node("pve3").ip in run.output
    assert "is not the expected host" in run.words and "PHASE 2" not in run.stdout


def test_an_unreachable_node_in_the_middle_stops_before_anything_is_done(lab: Lab, controller: Controller) -> None:
    lab.node("pve2").kill()
    try:
        run = controller.play("create-proxmox-cluster").refused()
    finally:
        lab.up()
    assert "pve2" in run.output and "does not answer on SSH" in run.words
    assert "PHASE 2" not in run.stdout
    assert all(shell(lab, node, "ls /etc/corosync/authkey 2>/dev/null || true") == "" for node in NODES)


def test_of_two_controllers_the_second_is_refused_and_the_first_finishes(
    lab: Lab, controller: Controller, second: Controller
) -> None:
    controller.write_inventory(NODES[:2])
    second.write_inventory(NODES[:2])
    running = controller.start(controller.playbook_command("create-proxmox-cluster"))
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if "PHASE 3" in line:
                break
        refused = second.play("create-proxmox-cluster").refused()
        stdout, stderr = running.communicate(timeout=300)
    finally:
        running.kill()
    assert (
        "another run" in refused.words.lower() or "holds" in refused.words.lower() or "locked" in refused.words.lower()
    )
    assert "PHASE 3" not in refused.stdout
    assert running.returncode == 0, stdout + stderr
    assert all(is_quorate_member(lab, node, {"pve1", "pve2"}) for node in NODES[:2])
    # The way is free again, also for the other one.
    assert set(second.play("create-proxmox-cluster", "-e", "x=1").check().changed) == {"pve1", "pve2"}


def test_corosync_is_cut_in_mid_join(lab: Lab, controller: Controller) -> None:
    """The join of node 3 cannot become quorate. The others must stay so, and after the cut is healed a run finishes it."""
    running = controller.start(
        controller.playbook_command("create-proxmox-cluster", "-e", "proxmox_cluster_join_timeout=45")
    )
    try:
        assert running.stdout is not None
        seen = []
        for line in running.stdout:
            seen.append(line)
            if "PHASE 4" in line:
                break
        lab.fault("cut", "pve3", protocol="udp")
        stdout, stderr = running.communicate(timeout=300)
    finally:
        running.kill()
    assert running.returncode != 0, stdout[-6000:]
    words = " ".join((stdout + stderr).split())
    assert "pve3" in words and "quor" in words
    for node in NODES[:2]:
        assert json.loads(shell(lab, node, "cat /etc/pve/.members"))["cluster"]["quorate"] == 1
        shell(lab, node, "echo x > /etc/pve/probe && rm /etc/pve/probe")
    lab.heal()
    controller.play("create-proxmox-cluster").check()
    assert all(is_quorate_member(lab, node, set(NODES)) for node in NODES)
    assert set(controller.play("create-proxmox-cluster").check().changed.values()) == {0}


def test_an_active_watchdog_keeps_the_cluster_from_being_destroyed(lab: Lab, controller: Controller) -> None:
    state = json.dumps({"mode": "active", "state": "active", "timestamp": int(time.time()), "results": {}})
    shell(lab, "pve2", "systemctl stop pve-ha-lrm")
    lab.node("pve2").run(["sh", "-c", "cat > /etc/pve/nodes/pve2/lrm_status"], stdin=state).check()
    refused = controller.play("destroy-proxmox-cluster", "-e", "confirm_destroy=destroy").refused()
    assert "high availability" in refused.words.lower() and "disarm-ha" in refused.words
    assert all(is_quorate_member(lab, node, set(NODES)) for node in NODES)
    shell(lab, "pve2", "rm /etc/pve/nodes/pve2/lrm_status; systemctl start pve-ha-lrm")


def test_a_cluster_is_created_anew_on_demand(lab: Lab, controller: Controller) -> None:
    """force_cluster_recreation: destroy, then create, and never without the word."""
    token = shell(lab, "pve1", "sha256sum /etc/corosync/authkey")
    force = ("-e", "force_cluster_recreation=true")
    refused = controller.play("create-proxmox-cluster", *force).refused()
    assert "Nothing was done" in refused.words and shell(lab, "pve1", "sha256sum /etc/corosync/authkey") == token
    controller.play("create-proxmox-cluster", *force, "-e", "confirm_destroy=destroy").check()
    assert shell(lab, "pve1", "sha256sum /etc/corosync/authkey") != token
    assert all(is_quorate_member(lab, node, set(NODES)) for node in NODES)
