# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA by intent: one declaration, the same place on version 8 and on version 9, off a node for maintenance, and away from a dead one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from busy_machine import allow
from module_runs import Playground
from practice_lab import Lab

VERSIONS = {"pve9": ("9.2.11", ("pve1", "pve2", "pve3")), "pve8": ("8.4.1", ("pve1", "pve2"))}
# The guest is made on pve2, so that its place is HA's doing.
WANTED = {"guest": "vm:110", "state": "started", "prefer": {"pve1": 100, "pve2": 50}, "timeout": 400}


@pytest.fixture(scope="module", params=VERSIONS)
def nodes(
    request: pytest.FixtureRequest, make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Playground:
    version, names = VERSIONS[request.param]
    lab = make_lab().up(list(names), settings={"pve_version": version})
    playground = Playground(lab, tmp_path_factory.mktemp("ha"))
    playground.found(*names[1:])
    playground.healthy(*names)
    playground.on("pve2", "qm create 110 --memory 64 --name ha")
    return playground


def status(nodes: Playground, host: str = "pve2", **arguments: Any) -> dict[str, Any]:
    return nodes.change(host, "proxmox_ha_info", **arguments)


def test_check_mode_prints_the_placement(nodes: Playground) -> None:
    planned = nodes.call("pve1", "proxmox_ha", "--check", **WANTED)
    assert planned["ok"] and planned["changed"], planned["output"]
    assert planned["expected_node"] == "pve1"
    assert any("prefer-vm-110 (pve1:100,pve2:50)" in action for action in planned["actions"])
    assert "vm" not in nodes.on("pve1", "ha-manager config")


def test_the_guest_runs_where_it_is_preferred(nodes: Playground) -> None:
    done = nodes.change("pve2", "proxmox_ha", **WANTED)
    assert (done["node"], done["service_state"]) == ("pve1", "started")
    assert nodes.on("pve1", "qm status 110") == "status: running\n"


def test_the_second_run_changes_nothing(nodes: Playground) -> None:
    assert not nodes.change("pve1", "proxmox_ha", **WANTED)["changed"]


def test_maintenance_moves_it_away_and_back(nodes: Playground) -> None:
    if len(nodes.names) < 3:
        return  # The same command and the same managers on both versions; their rounds of ten seconds take minutes.
    planned = nodes.call("pve2", "proxmox_ha_maintenance", "--check", node="pve1")
    assert planned["actions"] == ["Put pve1 into maintenance: vm:110 move away."]
    nodes.change("pve2", "proxmox_ha_maintenance", node="pve1")
    seen = status(nodes, wait=300)
    assert seen["settled"], seen["unsettled"]
    assert seen["services"]["vm:110"]["node"] == "pve2" and seen["nodes"]["pve1"]["state"] == "maintenance"
    assert not nodes.change("pve2", "proxmox_ha_maintenance", node="pve1")["changed"]
    nodes.change("pve2", "proxmox_ha_maintenance", node="pve1", state="disabled")
    deadline = time.monotonic() + allow(200)
    while (seen := status(nodes, wait=60))["services"]["vm:110"]["node"] != "pve1":
        assert time.monotonic() < deadline, seen
    assert not nodes.change("pve2", "proxmox_ha_maintenance", node="pve1", state="disabled")["changed"]


def test_a_dead_node_loses_it_to_the_next_best(nodes: Playground) -> None:
    if len(nodes.names) < 3:
        nodes.change("pve2", "proxmox_ha", guest="vm:110", state="absent")
        assert nodes.on("pve2", "ha-manager config; ha-manager groupconfig") == ""
        return
    nodes.lab.node("pve1").kill()
    deadline = time.monotonic() + allow(400)
    while (seen := status(nodes, wait=20))["services"]["vm:110"]["node"] == "pve1" or seen["services"]["vm:110"][
        "state"
    ] != "started":
        assert time.monotonic() < deadline, seen
    assert seen["services"]["vm:110"]["node"] == "pve2"
    assert not seen["settled"] and any("pve1" in reason for reason in seen["unsettled"])
    again = nodes.change("pve2", "proxmox_ha", **WANTED)
    assert not again["changed"] and again["expected_node"] == "pve2"
