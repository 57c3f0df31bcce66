# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for removing another node from the cluster, made on a member that stays. A pure function.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, StateUnknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.gates import votes_to_expect
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.high_availability import lrm_is_active
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView, view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step


@dataclass(frozen=True)
class Removal:
    name: str
    remove_online: bool = False
    # refuse, keep (the directory stays) or forget (the directory goes, after a copy).
    guests: str = "refuse"
    ignore_active_ha: bool = False
    accounted_for: tuple[str, ...] = ()
    clean_up: bool = True
    timeout: int = 180


def plan_remove(removal: Removal, snapshot: Snapshot, now: Classified) -> Plan:
    name = removal.name
    if name.lower() == snapshot.node_name.lower():
        raise Refused(
            "A node cannot remove itself.", "Run this on another member, or use proxmox_cluster state=standalone."
        )
    if now.state not in (
        NodeState.MEMBER,
        NodeState.MEMBER_WITHOUT_CERTIFICATE,
        NodeState.MEMBER_NOT_QUORATE,
        NodeState.MEMBER_NOT_WRITABLE,
    ):
        raise StateUnknown(f"This node cannot remove another: it is '{now.state.value}'. {now.reason}", now.way.forward)
    seen = view_of(snapshot, snapshot.node_name)
    if seen.value is None:
        raise StateUnknown(f"The cluster could not be read: {seen.reason}")
    view = seen.value
    steps: tuple[Step, ...] = ()
    listed = view.config.node(name)
    if listed is not None:
        steps = _delete_steps(removal, snapshot, view)
    elif now.state is not NodeState.MEMBER and _traces(removal, snapshot):
        raise Refused(f"The traces of {name} cannot be removed: {now.reason}", now.way.forward)
    remaining = sorted(node.name for node in view.config.nodes if node is not listed)
    if removal.clean_up and (listed is not None or _traces(removal, snapshot)):
        steps += _clean_steps(removal, snapshot)
    before = {"cluster_name": view.config.cluster_name, "members": sorted(view.config.names)}
    after: dict[str, Any] = {"cluster_name": view.config.cluster_name, "members": remaining}
    if _traces(removal, snapshot):
        before |= {"directories": sorted(snapshot.node_directories.value or {})}
        after |= {"directories": sorted(set(snapshot.node_directories.value or {}) - {name})}
    return Plan(steps, before, after)


def _delete_steps(removal: Removal, snapshot: Snapshot, view: ClusterView) -> tuple[Step, ...]:
    name, config = removal.name, view.config
    problems = []
    if config.qdevice_host is not None:
        problems.append("the cluster has a qdevice, which has to be removed before and set up again after")
    if name in view.online and not removal.remove_online:
        problems.append(f"{name} is online; set online=remove to take it out while it runs")
    problems += _guest_problems(removal, snapshot) + _ha_problems(removal, snapshot, view)
    if problems:
        raise Refused("; ".join(problems) + ".", "Clear these up first, then run again.")
    proven = {*removal.accounted_for}
    votes = votes_to_expect(view, proven)
    steps: tuple[Step, ...] = ()
    if votes is None:
        _refuse_losing_quorum(removal, view)
        if _is_needed_for_quorum(removal, view):
            # pvecm delnode stops the node's corosync before it writes, and without quorum it cannot write any more.
            steps += (_stop_step(removal, view),)
            votes = _votes_left(view, name)
    if votes is not None:
        steps += (
            Step("expect_votes", f"Expect {votes} vote(s): every absent member is accounted for.", {"votes": votes}),
        )
    remaining = sorted(node.name for node in config.nodes if node.name.lower() != name.lower())
    online = sorted(node for node in view.online if node.lower() != name.lower())
    return (
        *steps,
        Step(
            "delete_node",
            f"Delete {name} from the cluster's configuration.",
            {"name": name, "timeout": removal.timeout},
        ),
        Step(
            "await_removal",
            f"Wait until {', '.join(online)} are quorate without {name} and can write.",
            {
                "cluster_name": config.cluster_name,
                "members": remaining,
                "online": online,
                # Each deletion makes corosync expect all configured votes again, also those of members still absent.
                "votes": _votes_left(view, name) if votes is not None else None,
                "timeout": removal.timeout,
            },
        ),
    )


def _clean_steps(removal: Removal, snapshot: Snapshot) -> tuple[Step, ...]:
    name = removal.name
    directory = (snapshot.node_directories.value or {}).get(name)
    steps: tuple[Step, ...] = ()
    if directory is None or not directory.guests or removal.guests == "forget":
        steps += (
            Step("remove_directories", f"Keep a copy of /etc/pve/nodes/{name} and remove it.", {"names": [name]}),
        )
    forget = Step(
        "forget_nodes",
        f"Remove the keys and known hosts of {name} and its name from storages, replication jobs and HA rules.",
        {"names": [name], "references": True},
    )
    return (*steps, forget)


def _traces(removal: Removal, snapshot: Snapshot) -> bool:
    if not snapshot.node_directories.known:
        raise StateUnknown(f"/etc/pve/nodes could not be read: {snapshot.node_directories.reason}")
    directory = (snapshot.node_directories.value or {}).get(removal.name)
    return directory is not None and not (directory.guests and removal.guests == "keep")


def _guest_problems(removal: Removal, snapshot: Snapshot) -> list[str]:
    if not snapshot.node_directories.known:
        raise StateUnknown(f"/etc/pve/nodes could not be read: {snapshot.node_directories.reason}")
    directory = (snapshot.node_directories.value or {}).get(removal.name)
    if directory is None or not directory.guests or removal.guests != "refuse":
        return []
    return [
        f"{removal.name} has the guests {', '.join(directory.guests)}; move them, or set guests=keep or guests=forget"
    ]


def _ha_problems(removal: Removal, snapshot: Snapshot, view: ClusterView) -> list[str]:
    if removal.ignore_active_ha:
        return []
    availability = snapshot.high_availability.value
    if availability is None:
        raise StateUnknown(f"The state of high availability could not be read: {snapshot.high_availability.reason}")
    problems = []
    state = availability.lrm_states.get(removal.name)
    # What a dead node's LRM wrote last says nothing about a watchdog any more.
    if removal.name in view.online and state is not None and lrm_is_active(state):
        problems.append(f"the HA manager (LRM) of {removal.name} is '{state}': its watchdog would reset the node")
    placed = sorted(name for name, node in availability.resources.items() if node == removal.name)
    if placed:
        problems.append(f"HA has placed {', '.join(placed)} on {removal.name}")
    return problems


def _refuse_losing_quorum(removal: Removal, view: ClusterView) -> None:
    total = sum(node.votes for node in view.config.nodes)
    gone = sum(node.votes for node in view.config.nodes if node.name.lower() == removal.name.lower())
    left = _votes_left(view, removal.name)
    if left * 2 <= total - gone:
        offline = ", ".join(name for name in view.offline() if name != removal.name)
        raise Refused(
            f"Without {removal.name} only {left} of {total - gone} votes would be there ({offline} is offline),"
            " and the cluster would lose its quorum.",
            "Remove the members that are gone for good first, or bring them back.",
        )


def _is_needed_for_quorum(removal: Removal, view: ClusterView) -> bool:
    """Whether the others would be without quorum from the moment the node stops until it is deleted (two nodes)."""
    total = sum(node.votes for node in view.config.nodes)
    return removal.name in view.online and _votes_left(view, removal.name) * 2 <= total


def _votes_left(view: ClusterView, name: str) -> int:
    return sum(node.votes for node in view.config.nodes if node.name in view.online and node.name != name)


def _stop_step(removal: Removal, view: ClusterView) -> Step:
    return Step(
        "stop_member",
        f"Stop corosync on {removal.name}; the cluster cannot do without its vote while it is being deleted.",
        {"name": removal.name, "address": view.address_of(removal.name), "timeout": removal.timeout},
    )
