# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HA's managers say: when all is at rest, and what maintenance asks for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.errors import HaError
from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.maintenance import plan_maintenance
from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.status import read_status, wait_until_settled
from fake_session import FakeSession, InTurn

CURRENT = [
    {"type": "quorum", "quorate": 1},
    {"type": "fencing", "armed-state": "armed"},
    {"type": "service", "sid": "vm:100", "node": "pve2", "state": "started", "request_state": "started"},
]
MANAGER: dict[str, Any] = {
    "manager_status": {"master_node": "pve1", "node_status": {"pve1": "online", "pve2": "online"}},
    "lrm_status": {"pve2": {"mode": "active", "state": "active"}},
}
STATUS, CURRENT_PATH = ("GET", "/cluster/ha/status/manager_status"), ("GET", "/cluster/ha/status/current")


def session(current: Any = None, manager: Any = None) -> FakeSession:
    return FakeSession(
        {CURRENT_PATH: CURRENT if current is None else current, STATUS: MANAGER if manager is None else manager}
    )


def moved(**changes: Any) -> dict[str, Any]:
    return {**MANAGER, "manager_status": {**MANAGER["manager_status"], **changes}}


def test_all_at_rest() -> None:
    status = read_status(session())
    assert status.unsettled == [] and status.master == "pve1" and status.armed == "armed"
    assert status.services_of("pve2") == ["vm:100"] and status.services_of("pve1") == []
    assert status.shown()["nodes"]["pve2"]["lrm_state"] == "active"


def test_ha_that_was_never_used_is_at_rest() -> None:
    status = read_status(session([{"type": "quorum", "quorate": 1}], {"manager_status": {}, "quorum": {}}))
    assert status.unsettled == [] and status.master is None and not status.nodes


@pytest.mark.parametrize(
    ("current", "manager", "words"),
    [
        ([{"type": "quorum", "quorate": 0}], None, "There is no quorum."),
        (None, moved(node_status={"pve1": "online", "pve2": "fence"}), "The manager sees node pve2 as fence."),
        (None, moved(node_request={"pve2": {"maintenance": 1}}), "The node pve2 is on its way into maintenance."),
        (None, moved(node_status={"pve2": "maintenance"}), "The node pve2 is on its way out of maintenance."),
        ([CURRENT[0], {**CURRENT[2], "state": "migrate"}], None, "vm:100 is in state migrate on pve2."),
    ],
)
def test_what_goes_on_is_told(current: Any, manager: Any, words: str) -> None:
    assert read_status(session(current, manager)).unsettled == [words]


def test_waiting_ends_when_all_is_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.baremetal.proxmox.plugins.module_utils._ha.status.PAUSE", 0)
    moving = [CURRENT[0], {**CURRENT[2], "state": "migrate"}]
    assert wait_until_settled(session(InTurn(moving, moving, CURRENT)), 30).unsettled == []
    assert wait_until_settled(session(moving), 0).unsettled != []


def test_maintenance_is_asked_for_once() -> None:
    members = ["pve1", "pve2"]
    plan = plan_maintenance("pve2", True, read_status(session()), members)
    assert plan.summaries == ["Put pve2 into maintenance: vm:100 move away."]
    asked = read_status(session(None, moved(node_request={"pve2": {"maintenance": 1}})))
    assert not plan_maintenance("pve2", True, asked, members).changed
    assert plan_maintenance("pve2", False, asked, members).summaries == ["Take pve2 out of maintenance."]
    assert not plan_maintenance("pve2", False, read_status(session()), members).changed
    with pytest.raises(HaError, match="no node pve9; there are pve1, pve2"):
        plan_maintenance("pve9", True, asked, members)
