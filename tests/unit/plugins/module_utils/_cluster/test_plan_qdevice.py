# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for a quorum device: when it is set up, taken off, repaired, and when that is refused."""

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import (
    CorosyncConfig,
    CorosyncNode,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_qdevice import (
    SERVICE,
    DeviceWish,
    plan_qdevice,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.quorum import QuorumStatus, Voter
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.units import UnitState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView

HOST = "10.99.0.9"
SET_UP = DeviceWish(present=True, address=HOST)
TAKE_OFF = DeviceWish(present=False)


def view(count: int, device: str | None = None, offline: frozenset[str] = frozenset()) -> ClusterView:
    nodes = tuple(CorosyncNode(f"pve{n}", n, 1, {0: f"10.99.0.1{n}"}) for n in range(1, count + 1))
    config = CorosyncConfig("lab", 3, nodes, qdevice_host=device, qdevice_votes=1 if device else 0)
    online = frozenset(node.name for node in nodes) - offline
    return ClusterView("pve1", "", config, True, True, online)


def members(
    seen: ClusterView, running: bool = False, flags: str = "", load: str = "loaded"
) -> dict[str, Reading[Snapshot]]:
    unit = UnitState(SERVICE, load, "active" if running else "inactive", "running" if running else "dead")
    found = {}
    for node in seen.config.nodes:
        voter = Voter(node.node_id, 1, node.name, True, flags)
        quorum = QuorumStatus(True, node.node_id, seen.config.expected_votes, 2, 2, voters=(voter,))
        snapshot = Snapshot(
            node.name, config=Reading(seen.config), quorum=Reading(quorum), units=Reading({SERVICE: unit})
        )
        found[node.name] = Reading(snapshot)
    return found


def actions(wish: DeviceWish, seen: ClusterView, found: dict[str, Reading[Snapshot]], left: bool = False) -> list[str]:
    return [step.action for step in plan_qdevice(wish, seen, found, left).steps]


def test_two_nodes_get_a_device() -> None:
    plan = plan_qdevice(SET_UP, view(2), members(view(2)), False)
    assert [step.action for step in plan.steps] == ["run_pvecm", "await_present"]
    assert plan.steps[0].arguments["argv"] == ["pvecm", "qdevice", "setup", HOST]


def test_certificates_of_an_interrupted_setup_go_first() -> None:
    assert actions(SET_UP, view(2), members(view(2)), left=True) == ["stop_device", "run_pvecm", "await_present"]


def test_a_device_that_votes_is_left_alone() -> None:
    seen = view(2, HOST)
    assert actions(SET_UP, seen, members(seen, True, "A,V,NMW")) == []


def test_a_member_without_the_service_is_repaired() -> None:
    seen = view(2, HOST)
    assert actions(SET_UP, seen, members(seen)) == ["start_device", "await_present"]
    assert actions(SET_UP, seen, members(seen, True, "NA,NV")) == ["await_present"]


def test_another_host_replaces_it() -> None:
    seen = view(2, "10.99.0.8")
    expected = ["run_pvecm", "await_absent", "run_pvecm", "await_present"]
    assert actions(SET_UP, seen, members(seen, True, "A,V")) == expected


def test_an_odd_number_is_refused_unless_it_is_meant() -> None:
    with pytest.raises(Refused, match="odd number survives"):
        plan_qdevice(SET_UP, view(3), members(view(3)), False)
    plan = plan_qdevice(DeviceWish(True, HOST, allow_odd=True), view(3), members(view(3)), False)
    assert "--force" in plan.steps[0].arguments["argv"] and "2 votes" in plan.warnings[0]


def test_nothing_is_set_up_on_a_guess() -> None:
    with pytest.raises(Refused, match="pve2 is not online"):
        plan_qdevice(SET_UP, view(2, offline=frozenset({"pve2"})), members(view(2)), False)
    with pytest.raises(Refused, match="pve2 could not be read: no answer"):
        plan_qdevice(SET_UP, view(2), {**members(view(2)), "pve2": unknown("no answer")}, False)
    with pytest.raises(Refused, match="not installed on pve1"):
        plan_qdevice(SET_UP, view(2), members(view(2), load="not-found"), False)


def test_taking_it_off() -> None:
    seen = view(2, HOST)
    assert actions(TAKE_OFF, seen, members(seen, True, "A,V")) == ["run_pvecm", "await_absent"]
    assert actions(TAKE_OFF, view(2), members(view(2), True)) == ["stop_device", "await_absent"]
    assert actions(TAKE_OFF, view(2), members(view(2))) == []


def test_with_a_member_away_the_file_is_changed_instead() -> None:
    seen = view(4, HOST, frozenset({"pve4"}))
    assert actions(TAKE_OFF, seen, members(seen, True)) == ["drop_device", "stop_device", "await_absent"]


def test_a_device_on_which_the_quorum_hangs_stays_unless_the_absent_are_accounted_for() -> None:
    seen = view(2, HOST, frozenset({"pve2"}))
    with pytest.raises(Refused, match="would lose its quorum"):
        plan_qdevice(TAKE_OFF, seen, members(seen, True), False)
    told = DeviceWish(present=False, accounted_for=("pve2",))
    plan = plan_qdevice(told, seen, members(seen, True), False)
    assert [step.action for step in plan.steps] == ["drop_device", "stop_device", "expect_votes", "await_absent"]
    assert plan.steps[2].arguments == {"votes": 1}
