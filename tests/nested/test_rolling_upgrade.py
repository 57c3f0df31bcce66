# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node upgraded while another carries its service; nothing begins when a member is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import Playground
from practice_lab import Lab

NAMES = ("pve1", "pve2", "pve3")
REBOOT = ("-e", "proxmox_node_upgrade_reboot=always")


@pytest.fixture(scope="module")
def nodes(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Playground:
    playground = Playground(make_lab().up(list(NAMES)), tmp_path_factory.mktemp("rolling"))
    playground.found("pve2", "pve3")
    playground.healthy(*NAMES)
    playground.on("pve1", "qm create 110 --memory 64")
    playground.change("pve1", "proxmox_ha", guest="110", state="started", prefer={"pve1": 2, "pve2": 1}, timeout=400)
    return playground


def started(nodes: Playground) -> dict[str, str]:
    """A container has no boot id of its own; its first process's start tells."""
    return {name: nodes.on(name, "stat -c %Y /proc/1").strip() for name in NAMES}


def test_nodes_without_upgrades_are_left_alone(nodes: Playground) -> None:
    before = started(nodes)
    assert set(nodes.play("rolling-upgrade").check().changed.values()) == {0}
    assert started(nodes) == before


def test_a_guest_that_nobody_looks_after_is_in_the_way(nodes: Playground) -> None:
    nodes.on("pve3", "qm create 120 --memory 64; qm start 120")
    before = started(nodes)
    refused = nodes.play("rolling-upgrade", "--limit", "pve3", *REBOOT).refused()
    assert "HA does not look after qemu/120" in refused.words
    assert started(nodes) == before
    nodes.on("pve3", "qm stop 120; qm destroy 120")
    # The node is still in maintenance: the next run goes on there, and takes it out.
    assert nodes.info("pve3")["health"]
    assert nodes.change("pve2", "proxmox_ha_info")["nodes"]["pve3"]["maintenance_requested"]
    nodes.play("rolling-upgrade", "--limit", "pve3").check()
    assert not nodes.change("pve2", "proxmox_ha_info")["nodes"]["pve3"]["maintenance_requested"]


def test_the_service_moves_away_and_comes_back(nodes: Playground) -> None:
    before = started(nodes)
    nodes.play("rolling-upgrade", "--limit", "pve1", *REBOOT).check()
    after = started(nodes)
    assert after["pve1"] != before["pve1"]
    assert (after["pve2"], after["pve3"]) == (before["pve2"], before["pve3"])
    seen = nodes.change("pve2", "proxmox_ha_info", wait=200)
    assert seen["settled"] and seen["services"]["vm:110"]["node"] == "pve1", seen


def test_ha_is_shown(nodes: Playground) -> None:
    shown = nodes.play("ha_status").check().words
    assert "Quorum: yes, master: " in shown and "vm:110 on pve1: started" in shown


def test_nothing_begins_while_a_member_is_missing(nodes: Playground) -> None:
    nodes.lab.node("pve3").kill()
    before = nodes.on("pve2", "stat -c %Y /proc/1")
    refused = nodes.play(
        "rolling-upgrade", "--limit", "pve2", *REBOOT, "-e", "proxmox_node_upgrade_timeout=10"
    ).refused()
    assert "no further node is touched" in refused.words
    assert nodes.on("pve2", "stat -c %Y /proc/1") == before


def test_who_is_missing_is_told(nodes: Playground) -> None:
    told = nodes.play("departed-nodes", "-e", "ansible_ssh_timeout=5").words
    assert "pve3: off, with 1 vote(s)" in told and "pve1: online" in told
    assert "Votes: 2 of 3, 2 are needed; not one more may be lost." in told
