# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that meet trouble: they say what it is, leave what works as it is, and the next run goes on from there."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from busy_machine import allow
from node_looks import can_write, is_quorate, members, shell, wait_until
from playbook_runs import PATIENCE, Controller, PlayRun
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


def identity(lab: Lab) -> list[str]:
    """Fingerprints of what makes a cluster this cluster: corosync's key, the certificate authority, the key of the tickets."""
    files = "/etc/corosync/authkey /etc/pve/pve-root-ca.pem /etc/pve/authkey.pub"
    return [line.split()[0] for line in shell(lab, "pve1", f"sha256sum {files}").splitlines()]


def read_until(running: subprocess.Popen[str], word: str) -> None:
    assert running.stdout is not None
    seen = []
    for line in running.stdout:
        seen.append(line)
        if word in line:
            return
    raise AssertionError("".join(seen)[-6000:])


def is_quorate_member(lab: Lab, node: str, expected: set[str]) -> bool:
    return members(lab, node) == expected and is_quorate(lab, node)


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


@pytest.fixture(scope="module")
def first_creation(lab: Lab, first: Controller, second: Controller) -> tuple[PlayRun, PlayRun]:
    """What two controllers say that create the cluster at the same time, while the second of three nodes is off."""
    first.write_inventory()
    # The second does not know the silent node: waiting for it, it would come too late to meet the first.
    second.write_inventory(["pve1", "pve3"])
    lab.node("pve2").kill()
    running = first.start(first.playbook_command("create-proxmox-cluster"))
    try:
        read_until(running, "PHASE 3")
        late = second.play("create-proxmox-cluster")
        stdout, stderr = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
        lab.up()
    return PlayRun(running.returncode, stdout, stderr), late


def test_a_node_in_the_middle_that_does_not_answer_is_left_out_and_named(
    lab: Lab, first_creation: tuple[PlayRun, PlayRun]
) -> None:
    run = first_creation[0].refused()
    assert "pve2 did not answer" in run.words and "SUCCESSFULLY" not in run.stdout
    assert all(is_quorate_member(lab, node, {"pve1", "pve3"}) for node in ("pve1", "pve3"))
    assert is_untouched(lab, "pve2")


def test_a_second_controller_is_kept_out(lab: Lab, first_creation: tuple[PlayRun, PlayRun]) -> None:
    run = first_creation[1].refused()
    assert "Another controller works on this node" in run.words and "PHASE 3" not in run.stdout


def test_an_active_watchdog_keeps_the_cluster_from_being_destroyed(lab: Lab, controller: Controller) -> None:
    state = json.dumps({"mode": "active", "state": "active", "timestamp": int(time.time()), "results": {}})
    shell(lab, "pve3", "systemctl stop pve-ha-lrm")
    lab.node("pve3").run(["sh", "-c", "cat > /etc/pve/nodes/pve3/lrm_status"], stdin=state).check()
    refused = controller.play("destroy-proxmox-cluster", "-e", "confirm_destroy=destroy").refused()
    assert "high availability" in refused.words.lower() and "disarm-ha" in refused.words
    assert all(is_quorate_member(lab, node, {"pve1", "pve3"}) for node in ("pve1", "pve3"))
    shell(lab, "pve3", "rm /etc/pve/nodes/pve3/lrm_status; systemctl start pve-ha-lrm")


def test_recreated_with_a_fresh_identity_and_cut_off_in_the_first_join(lab: Lab, controller: Controller) -> None:
    """Never without the word. The founder, alone with two expected votes, gets its quorum back."""
    controller.passwords = False
    controller.write_inventory()
    force = (
        "-e",
        "force_cluster_recreation=true",
        "-e",
        "fresh_identity=true",
        "-e",
        "proxmox_cluster_join_timeout=30",
    )
    before = identity(lab)
    assert "Nothing was done" in controller.play("create-proxmox-cluster", *force).refused().words
    assert identity(lab) == before
    confirmed = [*force, "-e", "confirm_destroy=destroy"]
    running = controller.start(controller.playbook_command("create-proxmox-cluster", *confirmed))
    try:
        read_until(running, "Secondary node: pve2")
        lab.fault("cut", "pve2", protocol="udp")
        stdout, stderr = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
    words = " ".join((stdout + stderr).split())
    assert running.returncode != 0 and "quor" in words and "The join was taken back" in words, words[-6000:]
    assert is_quorate_member(lab, "pve1", {"pve1"}) and can_write(lab, "pve1")
    assert not set(identity(lab)) & set(before)


def test_a_founder_that_waits_for_a_vote_which_never_comes_is_brought_back(lab: Lab, controller: Controller) -> None:
    """As after a join that was killed between the cluster's part and the joiner's."""
    controller.write_inventory(NODES[:2])
    shell(lab, "pve1", f"pvecm addnode pve2 --new_node_ip {lab.node('pve2').ip} --apiversion 1")
    wait_until(lambda: not can_write(lab, "pve1"))
    run = controller.play("create-proxmox-cluster").check()
    assert ("warning", "pve1", "unfinished") in run.findings
    assert all(is_quorate_member(lab, node, set(NODES[:2])) for node in NODES[:2])


def test_a_joiner_that_loses_its_power_in_mid_join_is_finished(lab: Lab, controller: Controller) -> None:
    controller.write_inventory()
    log = lab.node("pve3").root / "var/log/baremetal-proxmox/join.log"
    log.unlink()
    running = controller.start(controller.playbook_command("create-proxmox-cluster"))
    try:
        deadline = time.monotonic() + allow(120)
        while not (log.exists() and "backup old database" in log.read_text()):
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.1)
        lab.node("pve3").kill()
        stdout, stderr = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
    assert running.returncode != 0 and "pve3" in stdout + stderr
    assert all(can_write(lab, node) for node in NODES[:2])
    lab.up()
    controller.play("create-proxmox-cluster").check()
    assert all(is_quorate_member(lab, node, set(NODES)) for node in NODES)
