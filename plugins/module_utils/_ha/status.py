# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HA's manager and the local managers say of themselves, and whether all of them are at rest.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .._session.errors import NoQuorum, Unreachable
from .._session.interface import Session

#: States of a service in which nothing is going to happen by itself.
_RESTING = ("started", "stopped", "disabled", "ignored", "ignore")
PAUSE = 2.0


@dataclass(frozen=True)
class NodeState:
    """C(state) is the manager's view (online, maintenance, unknown, fence, gone), the others are the local manager's."""

    state: str
    lrm_mode: str
    lrm_state: str
    maintenance_requested: bool


@dataclass(frozen=True)
class Service:
    node: str
    state: str
    request_state: str


@dataclass(frozen=True)
class HaStatus:
    quorate: bool
    master: str | None
    armed: str
    nodes: Mapping[str, NodeState] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)

    @property
    def unsettled(self) -> list[str]:
        """What is still going on, in words; nothing when all is at rest."""
        reasons = [] if self.quorate else ["There is no quorum."]
        for name, node in self.nodes.items():
            if node.state not in ("online", "maintenance", "gone"):
                reasons.append(f"The manager sees node {name} as {node.state}.")
            elif node.maintenance_requested != (node.state == "maintenance"):
                way = "into" if node.maintenance_requested else "out of"
                reasons.append(f"The node {name} is on its way {way} maintenance.")
        for sid, service in self.services.items():
            if service.state not in _RESTING:
                reasons.append(f"{sid} is in state {service.state} on {service.node or 'no node'}.")
        return reasons

    def services_of(self, node: str) -> list[str]:
        """What runs there under HA."""
        return sorted(
            sid
            for sid, service in self.services.items()
            if service.node == node and service.state not in ("stopped", "disabled", "ignored")
        )

    def shown(self) -> dict[str, Any]:
        return {**asdict(self), "settled": not self.unsettled, "unsettled": self.unsettled}


def read_status(session: Session) -> HaStatus:
    current = session.get("/cluster/ha/status/current")
    answer = session.get("/cluster/ha/status/manager_status")
    manager, local = answer.get("manager_status") or {}, answer.get("lrm_status") or {}
    by_type: dict[str, list[dict[str, Any]]] = {}
    for entry in current:
        by_type.setdefault(str(entry.get("type")), []).append(entry)
    requests = manager.get("node_request") or {}
    return HaStatus(
        quorate=any(int(entry.get("quorate") or 0) == 1 for entry in by_type.get("quorum", [])),
        master=manager.get("master_node"),
        armed=next((str(entry.get("armed-state", "")) for entry in by_type.get("fencing", [])), ""),
        nodes={
            name: NodeState(
                state=str(state),
                lrm_mode=str(local.get(name, {}).get("mode", "unknown")),
                lrm_state=str(local.get(name, {}).get("state", "unknown")),
                maintenance_requested=bool((requests.get(name) or {}).get("maintenance")),
            )
            for name, state in sorted((manager.get("node_status") or {}).items())
        },
        services={
            str(entry["sid"]): Service(
                str(entry.get("node") or ""), str(entry.get("state")), str(entry.get("request_state", ""))
            )
            for entry in by_type.get("service", [])
        },
    )


def wait_until_settled(session: Session, seconds: float) -> HaStatus:
    """The last status seen, at rest or not; a node that changes its mind for a moment is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        status = _read_patiently(session, deadline)
        if not status.unsettled or time.monotonic() >= deadline:
            return status
        time.sleep(PAUSE)


def _read_patiently(session: Session, deadline: float) -> HaStatus:
    while True:
        try:
            return read_status(session)
        except (Unreachable, NoQuorum):
            # The daemons come back after an upgrade or a reboot.
            if time.monotonic() >= deadline:
                raise
            time.sleep(PAUSE)
