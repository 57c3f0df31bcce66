# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA as a whole: masters, services, moves, dead nodes, maintenance, disarming."""

from __future__ import annotations

from typing import Any

import pytest

from practice_pve.ha.local_manager import MAX_IDLE_ROUNDS
from practice_pve.ha.placement import Rule

Cluster = Any
PREFER_N2 = Rule("prefer", frozenset({"vm:100"}), {"n2": 2, "n3": 1})
ONLY_N1 = Rule("only", frozenset({"vm:100"}), {"n1": 0}, strict=True)


@pytest.fixture
def running(cluster: Cluster) -> Cluster:
    cluster.add("vm:100", "n1")
    cluster.run(40)
    return cluster


def test_nobody_is_master_while_there_is_nothing_to_do(cluster: Cluster) -> None:
    assert cluster.manager_status == {} and cluster.locks == {} and not cluster.watchdogs
    assert cluster.local_status["n1"] == {
        "mode": "active", "results": {}, "state": "wait_for_agent_lock", "timestamp": cluster.local_status["n1"]["timestamp"],
    }  # fmt: skip


def test_a_service_gets_a_master_and_a_lock_and_is_started(running: Cluster) -> None:
    assert running.where() == ["n1"]
    status = running.manager_status
    assert status["master_node"] == "n1" and status["node_status"] == dict.fromkeys(("n1", "n2", "n3"), "online")
    assert {key: running.service()[key] for key in ("state", "node", "running")} == {
        "state": "started", "node": "n1", "running": 1,
    }  # fmt: skip
    assert [local["state"] for _name, local in sorted(running.local_status.items())] == [
        "active", "wait_for_agent_lock", "wait_for_agent_lock",
    ]  # fmt: skip
    assert set(running.locks) == {"ha_manager_lock", "ha_agent_n1_lock"}
    assert running.local_status["n1"]["results"][running.service()["uid"]]["exit_code"] == 0


def test_a_stop_request_is_remembered_in_the_configuration(running: Cluster) -> None:
    running.commands = "stop vm:100 0\n"
    running.run(25)
    assert running.where() == [] and running.service()["state"] == "stopped"
    assert running.resources["vm:100"]["state"] == "stopped"
    running.resources["vm:100"]["state"] = "started"
    running.run(25)
    assert running.where() == ["n1"]


def test_a_guest_that_dies_is_started_again(running: Cluster) -> None:
    running.running.clear()
    running.run(25)
    assert running.where() == ["n1"]


def test_a_command_moves_a_guest_but_not_to_a_dead_node(running: Cluster) -> None:
    running.commands = "migrate vm:100 n2\n"
    running.run(30)
    assert running.where() == ["n2"] and running.service()["state"] == "started"
    running.dead.add("n3")
    running.run(12)
    running.commands = "relocate vm:100 n3\n"
    running.run(30)
    assert running.where() == ["n2"]


def test_a_rule_draws_a_guest_to_its_node(running: Cluster) -> None:
    running.rules.append(PREFER_N2)
    running.run(40)
    assert running.where() == ["n2"]


def test_without_failback_a_rule_leaves_the_guest(running: Cluster) -> None:
    running.resources["vm:100"]["failback"] = 0
    running.rules.append(PREFER_N2)
    running.run(40)
    assert running.where() == ["n1"]


def test_failed_starts_are_repeated_relocated_and_end_in_error(cluster: Cluster) -> None:
    cluster.broken = {"n1", "n2", "n3"}
    cluster.add("vm:100", "n1", max_restart=2, max_relocate=1)
    cluster.run(150)
    assert [node for _sid, node in cluster.starts] == ["n1"] * 3 + ["n2"] * 3
    assert cluster.service()["state"] == "error"
    cluster.resources["vm:100"]["state"] = "disabled"
    cluster.run(20)
    assert cluster.service()["state"] == "stopped"


def test_a_dead_node_is_fenced_only_after_its_lock_expired(running: Cluster) -> None:
    running.rules.append(Rule("prefer", frozenset({"vm:100"}), {"n2": 3, "n3": 2, "n1": 1}))
    running.run(60)
    assert running.where() == ["n2"]
    running.kill("n2")
    running.run(100)
    assert running.where() == [] and running.service()["state"] == "fence"
    running.run(50)
    assert running.where() == ["n3"] and running.resources["vm:100"]["node"] == "n3"
    assert running.manager_status["node_status"]["n2"] == "unknown"


def test_a_dead_master_is_replaced_and_its_guests_recovered(running: Cluster) -> None:
    running.kill("n1")
    running.run(260)
    assert running.manager_status["master_node"] != "n1"
    assert running.where() == ["n2"]


def test_a_strict_rule_leaves_no_node_for_recovery(running: Cluster) -> None:
    running.rules.append(ONLY_N1)
    running.run(20)
    running.kill("n1")
    running.run(300)
    assert running.where() == [] and running.service()["state"] == "recovery"


def test_without_quorum_nothing_moves(running: Cluster) -> None:
    running.kill("n1")
    running.dead.add("n2")
    running.run(400)
    assert running.where() == [] and running.resources["vm:100"]["node"] == "n1"


def test_maintenance_empties_a_node_and_the_guest_comes_back(running: Cluster) -> None:
    running.commands = "enable-node-maintenance n1\n"
    running.run(45)
    assert running.where() == ["n2"] and running.manager_status["node_status"]["n1"] == "maintenance"
    assert running.local_status["n1"]["mode"] == "maintenance"
    assert "ha_agent_n1_lock" not in running.locks and "lrm:n1" not in running.watchdogs
    running.commands = "disable-node-maintenance n1\n"
    running.run(60)
    assert running.where() == ["n1"] and running.manager_status["node_status"]["n1"] == "online"


@pytest.mark.parametrize("mode", ["freeze", "ignore"])
def test_disarmed_nothing_is_guarded_and_nothing_is_done(running: Cluster, mode: str) -> None:
    running.commands = f"disarm-ha {mode}\n"
    running.run(45)
    assert running.manager_status["disarm"] == {"mode": mode, "state": "disarmed"}
    assert not running.watchdogs and "ha_agent_n1_lock" not in running.locks
    running.running.clear()
    running.run(40)
    assert running.where() == []
    running.commands = "arm-ha\n"
    running.run(60)
    assert running.where() == ["n1"] and running.watchdogs == {"crm:n1", "lrm:n1"}


def test_guests_apart_and_together(cluster: Cluster) -> None:
    cluster.rules.append(Rule("apart", frozenset({"vm:100", "vm:101"}), affinity="negative"))
    cluster.rules.append(Rule("together", frozenset({"vm:101", "vm:102"}), affinity="positive"))
    for number in (100, 101, 102):
        cluster.add(f"vm:{number}", "n1")
    cluster.run(90)
    assert cluster.where("vm:100") != cluster.where("vm:101") == cluster.where("vm:102")


def test_a_node_without_services_gives_its_lock_up(running: Cluster) -> None:
    del running.resources["vm:100"]
    running.run(10 * (MAX_IDLE_ROUNDS + 6))
    assert running.local_status["n1"]["state"] == "wait_for_agent_lock" and "lrm:n1" not in running.watchdogs


def test_a_stopped_local_manager_leaves_its_guests_running_and_frozen(running: Cluster) -> None:
    running.nodes["n1"][1].request_shutdown()
    running.run(40)
    assert running.where() == ["n1"] and running.service()["state"] == "freeze"
    assert running.due["n1", 1] is None and "lrm:n1" not in running.watchdogs


def test_a_node_that_powers_off_stops_its_guests(running: Cluster) -> None:
    local = running.nodes["n1"][1]
    local.world.kind = "poweroff"
    local.request_shutdown()
    running.run(20)
    assert running.where() == [] and running.due["n1", 1] is None and running.local_status["n1"]["mode"] == "shutdown"


def test_a_master_that_ends_hands_over_at_once(running: Cluster) -> None:
    running.nodes["n1"][0].request_shutdown()
    running.run(20)
    assert running.manager_status["master_node"] == "n2"
