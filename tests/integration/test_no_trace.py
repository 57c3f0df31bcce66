# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking leaves no trace: the preflight alone, and a whole run in check mode, on bare nodes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from playbook_runs import Controller
from practice_lab import Lab

NODES = ["pve1", "pve2", "pve3"]
# Name, type, mode, owner, size, time, target of every file; then the checksums of their contents.
LISTING = r"""
cd /
for tree in etc root var/lib var/spool usr/local etc/pve; do
    find "$tree" -xdev -printf '%p %y %m %U:%G %s %T@ %l\n'
    find "$tree" -xdev -type f -exec sha256sum {} +
done
ls -la /run/baremetal-proxmox /var/lib/baremetal-proxmox 2>&1
# Names alone: a module is unpacked there for the moment in which it runs.
find /tmp /var/tmp -mindepth 1 -maxdepth 1
"""
# What a node writes by itself, run or no run: its clock, its timers, its own state database and the node's heartbeat.
OWN_LIFE = (
    "var/lib/chrony", "var/lib/systemd/timesync", "var/lib/systemd/timers", "var/lib/pve-cluster", "var/lib/rrdcached",
    "var/lib/systemd/random-seed", "/lrm_status", "etc/pve/.version", "etc/pve/.rrd", "etc/pve/.clusterlog",
)  # fmt: skip


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up(NODES)


@pytest.fixture(scope="module")
def controller(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    controller = make_controller(lab)
    controller.write_inventory()
    return controller


def listing(lab: Lab) -> dict[str, set[str]]:
    found = {}
    for node in NODES:
        lines = lab.node(node).run(["sh", "-c", LISTING], timeout=60).stdout.splitlines()
        assert len(lines) > 500
        found[node] = {line for line in lines if not any(own in line for own in OWN_LIFE)}
    return found


def differences(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    return {node: sorted(before[node] ^ after[node]) for node in NODES if before[node] != after[node]}


@pytest.fixture(scope="module")
def quiet_nodes(lab: Lab) -> dict[str, set[str]]:
    """The state before, once two looks agree: a fresh node still writes for some seconds."""
    before = listing(lab)
    for _ in range(20):
        time.sleep(2)
        now = listing(lab)
        if now == before:
            return now
        before = now
    raise AssertionError("the nodes do not come to rest")


def test_the_listing_sees_a_file_and_a_touched_directory(lab: Lab, quiet_nodes: dict[str, set[str]]) -> None:
    lab.node("pve2").run(["sh", "-c", "touch /root/trace && rm /root/trace && touch /etc/motd"]).check()
    changed = differences(quiet_nodes, listing(lab))
    assert set(changed) == {"pve2"}
    assert {line.split()[0] for line in changed["pve2"]} == {"root", "etc/motd"}


def test_the_preflight_alone(lab: Lab, controller: Controller, quiet_nodes: dict[str, set[str]]) -> None:
    before = listing(lab)
    run = controller.make("preflight").check()
    assert set(run.changed) == set(NODES)
    assert {severity for severity, _node, _code in run.findings} <= {"warning"}
    assert differences(before, listing(lab)) == {}


def test_check_mode_shows_the_whole_plan(lab: Lab, controller: Controller, quiet_nodes: dict[str, set[str]]) -> None:
    before = listing(lab)
    run = controller.play("create-proxmox-cluster", "--check", "--diff").check()
    assert differences(before, listing(lab)) == {}
    assert "CHECK MODE: this is the whole plan; nothing was changed" in run.stdout
    # Something is planned for every node: the founding, the joins, and the access by key.
    assert all(count >= 2 for count in run.changed.values()) and set(run.changed) == set(NODES)
    assert "labcluster" in run.words and controller.key.with_suffix(".pub").read_text().split()[1] in run.output
    for node in NODES[1:]:
        assert (
            "TASK [baremetal.proxmox.proxmox_cluster_join : Join the cluster and wait until both sides agree]"
            in run.output
        )
        assert f"changed     Join the cluster and wait until both sides agree: {node} (" in run.output
