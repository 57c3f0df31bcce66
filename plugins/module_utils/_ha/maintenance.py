# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance of a node: asked for by a command, done by the managers in their own time.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import time

from .._node.run import run
from .._plan import Plan, Step
from .._session.interface import Session
from .._storage.look import read_nodes
from .errors import HaError
from .status import PAUSE, HaStatus, read_status

_COMMAND_TIME = 60


def plan_maintenance(node: str, wanted: bool, status: HaStatus, members: list[str]) -> Plan:
    """C(members) are the nodes of the cluster."""
    if node not in members:
        raise HaError(f"There is no node {node}; there are {', '.join(sorted(members))}.")
    there = status.nodes.get(node)
    is_asked = there is not None and there.maintenance_requested
    if is_asked == wanted:
        return Plan()
    if wanted:
        services = ", ".join(status.services_of(node))
        moving = f"{services} move away" if services else "no service is on it"
        summary = f"Put {node} into maintenance: {moving}."
    else:
        summary = f"Take {node} out of maintenance."
    shown = {True: {"maintenance": "enabled"}, False: {"maintenance": "disabled"}}
    return Plan((Step("request", summary),), shown[not wanted], shown[wanted])


def settle_maintenance(
    session: Session, node: str, wanted: bool, check_mode: bool, patience: float
) -> tuple[Plan, HaStatus]:
    """Plan, ask for it, and wait until the managers have heeded it."""
    status = read_status(session)
    plan = plan_maintenance(node, wanted, status, list(read_nodes(session)))
    if check_mode:
        return plan, status
    if plan.changed:
        word = "enable" if wanted else "disable"
        done = run(["ha-manager", "crm-command", "node-maintenance", word, node], _COMMAND_TIME)
        if done.rc != 0:
            raise HaError(f"ha-manager refused: {done.words}")
    return plan, _wait(session, node, wanted, status, patience)


def _wait(session: Session, node: str, wanted: bool, status: HaStatus, patience: float) -> HaStatus:
    deadline = time.monotonic() + patience
    while patience:
        status = read_status(session)
        there = status.nodes.get(node)
        state = there.state if there else "unknown to the manager"
        services = status.services_of(node)
        if there is None and not wanted:
            return status
        if there is not None and (state == "maintenance") == wanted and not (wanted and services):
            return status
        if time.monotonic() >= deadline:
            left = f", with {', '.join(services)} on it" if wanted and services else ""
            raise HaError(
                f"After {patience:.0f} seconds {node} is {state}{left}.",
                "The managers work on; look at ha-manager status.",
            )
        time.sleep(PAUSE)
    return status
