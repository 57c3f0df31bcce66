# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for a node that shall be in no cluster: separate it, clean it, let the cluster forget it. Pure functions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified, leftovers
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.describe import (
    describe_now,
    describe_standalone,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, StateUnknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.gates import votes_to_expect
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.high_availability import lrm_is_active
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step

_CLEAN = (NodeState.STANDALONE, NodeState.ADDED_NOT_JOINED)
_ONLY_LEFTOVERS = (
    NodeState.STANDALONE_LEFTOVERS,
    NodeState.SEPARATED_STALE_NODES,
    NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
)
# The database of these is a throw-away: what the node was before lies in the join's own dump.
_RESTORED = (NodeState.JOIN_INTERRUPTED_DATABASE_DELETED, NodeState.JOIN_INTERRUPTED_WAITING_QUORUM)


def plan_standalone(wish: Wish, snapshot: Snapshot, now: Classified, view: ClusterView | None) -> Plan:
    if now.state is NodeState.UNKNOWN:
        raise StateUnknown(f"The node's state is unknown. {now.reason}", now.way.forward)
    if now.state in (NodeState.OTHER_CLUSTER, NodeState.CREATING, NodeState.JOINING):
        raise Refused(f"The node cannot leave: it is '{now.state.value}'. {now.reason}", now.way.forward)
    steps = leave_steps(wish, snapshot, now)
    if view is not None and view.lists(snapshot.node_name):
        steps += _forget_steps(wish, snapshot, now, view)
    return Plan(
        steps, describe_now(snapshot, now), describe_standalone(snapshot) if steps else describe_now(snapshot, now)
    )


def leave_steps(wish: Wish, snapshot: Snapshot, now: Classified) -> tuple[Step, ...]:
    final = Step(
        "await_separation",
        "Wait until the node is standalone, writable and serves its certificate.",
        {"timeout": wish.timeout},
    )
    if now.state in _CLEAN and not wish.fresh_identity:
        return ()
    if now.state is NodeState.LEAVING:
        attach = Step(
            "attach",
            "Wait for the end of the separation that is already running.",
            {"operation": "leave", "timeout": wish.timeout},
        )
        return (attach, final)
    if now.state in _ONLY_LEFTOVERS and not wish.fresh_identity:
        return (*_leftover_steps(wish, snapshot), final)
    _refuse_active_ha(wish, snapshot)
    _refuse_living_member(wish, snapshot, now)
    others = sorted(_other_members(snapshot) | set(snapshot.other_directories))
    variant = "separate"
    if wish.fresh_identity:
        refuse_losing_guests(snapshot)
        variant = "fresh"
    elif now.state in _RESTORED:
        variant = "restore"
    elif now.state is not NodeState.SEPARATION_INTERRUPTED or snapshot.mounted.value:
        # Otherwise nobody can look; the script itself then keeps what has guests, and the end of it is refused.
        refuse_foreign_guests(snapshot, wish)
    steps: tuple[Step, ...] = ()
    if wish.backup:
        steps += (Step("back_up", "Save config.db, the corosync and the storage configuration.", {}),)
    dump = newest_dump(snapshot) if variant == "restore" else None
    steps += (
        Step(
            "leave",
            _LEAVE_SUMMARY[variant],
            {"variant": variant, "dump": dump, "forget_guests": wish.forget_foreign_guests, "timeout": wish.timeout},
        ),
        final,
    )
    # After a restored database nobody else's key is there.
    if variant != "restore" and others and wish.state == "standalone":
        steps += (Step("forget_nodes", f"Remove the keys and known hosts of {', '.join(others)}.", {"names": others}),)
    return steps


_LEAVE_SUMMARY = {
    "separate": "Separate the node: stop pve-cluster and corosync, remove the cluster's configuration, start again.",
    "restore": "Take the join back: stop pve-cluster and corosync, restore the database from before the join, start again.",
    "fresh": "Separate the node with an empty database: new certificate authority, keys, tokens and users.",
}


def newest_dump(snapshot: Snapshot) -> str | None:
    """The dump that the interrupted join made. Its name holds the time in seconds, so names sort like times."""
    dumps = [
        name for name in snapshot.database_dumps.value or [] if name.startswith("config-") and name.endswith(".sql.gz")
    ]
    return f"/var/lib/pve-cluster/backup/{max(dumps)}" if dumps else None


def refuse_foreign_guests(snapshot: Snapshot, wish: Wish) -> None:
    if not snapshot.node_directories.known:
        raise StateUnknown(f"/etc/pve/nodes could not be read: {snapshot.node_directories.reason}")
    found = [
        f"{name} ({', '.join(directory.guests)})"
        for name, directory in sorted(snapshot.other_directories.items())
        if directory.guests
    ]
    if found and not wish.forget_foreign_guests:
        raise Refused(
            f"/etc/pve/nodes still holds guests of {'; '.join(found)}.",
            "Keep those configurations elsewhere, then set foreign_guests=forget.",
        )


def refuse_losing_guests(snapshot: Snapshot) -> None:
    if not snapshot.node_directories.known:
        raise StateUnknown(f"/etc/pve/nodes could not be read: {snapshot.node_directories.reason}")
    guests = [guest for directory in (snapshot.node_directories.value or {}).values() for guest in directory.guests]
    if guests:
        raise Refused(
            f"A fresh identity empties /etc/pve, and there are guests: {', '.join(sorted(guests))}.",
            "Leave without fresh_identity, or remove the guests first.",
        )


def _leftover_steps(wish: Wish, snapshot: Snapshot) -> tuple[Step, ...]:
    stale = sorted(snapshot.other_directories)
    steps: tuple[Step, ...] = ()
    if len(leftovers(snapshot)) > len(stale) or snapshot.mounted.value is False:
        steps += (
            Step("clean_leftovers", "Stop corosync, keep a copy of what is left in /etc/corosync and remove it."),
        )
    if stale:
        refuse_foreign_guests(snapshot, wish)
        steps += (
            Step("remove_directories", f"Remove /etc/pve/nodes/ of {', '.join(stale)}.", {"names": stale}),
            Step("forget_nodes", f"Remove the keys and known hosts of {', '.join(stale)}.", {"names": stale}),
        )
    return steps


def _other_members(snapshot: Snapshot) -> set[str]:
    config = snapshot.config.value or snapshot.local_config.value
    return {name for name in config.names if name.lower() != snapshot.node_name.lower()} if config else set()


def _refuse_active_ha(wish: Wish, snapshot: Snapshot) -> None:
    """An active LRM holds the watchdog: without corosync the node would be reset within a minute."""
    availability = snapshot.high_availability.value
    if wish.ignore_active_ha:
        return
    if availability is None:
        # Without pmxcfs there is nothing to read; then the LRM has lost its lock already and what counts is the service.
        if snapshot.mounted.value is False or not snapshot.active("pve-ha-lrm.service"):
            return
        raise StateUnknown(f"The state of high availability could not be read: {snapshot.high_availability.reason}")
    own = availability.lrm_states.get(snapshot.node_name)
    if own is not None and lrm_is_active(own):
        raise Refused(
            f"The node's HA manager (LRM) is '{own}': without corosync its watchdog would reset the node.",
            "Remove the HA resources (ha-manager remove) or disarm HA, wait until the LRM is idle, then run again.",
        )
    if availability.resources:
        raise Refused(
            f"HA manages {', '.join(sorted(availability.resources))}.",
            "Remove them from HA first (ha-manager remove), or set active_ha=ignore.",
        )


def _refuse_living_member(wish: Wish, snapshot: Snapshot, now: Classified) -> None:
    if wish.leave_members_behind or now.state is NodeState.REMOVED_NOT_SEPARATED:
        return
    quorum = snapshot.quorum.value
    if quorum is None:
        return
    own = quorum.node_id
    config = snapshot.config.value
    seen = sorted(
        (node.name if config and (node := config.node_of_id(node_id)) else f"node {node_id}")
        for node_id in quorum.node_ids
        if node_id != own
    )
    if seen:
        raise Refused(
            f"The node is still a member and sees {', '.join(seen)} online.",
            "Remove it on a remaining member first (proxmox_cluster_node with state=absent and online=remove),"
            " or set still_member=leave.",
        )


def _forget_steps(wish: Wish, snapshot: Snapshot, now: Classified, view: ClusterView) -> tuple[Step, ...]:
    """The cluster's side of a join that is taken back: the entry that makes it wait for a vote that never comes."""
    if snapshot.node_name in view.online and now.state not in _RESTORED:
        raise Refused(
            f"{view.seen_from} sees {snapshot.node_name} online.",
            "Two machines have this name, or the node has not left yet; look before anything is removed.",
        )
    votes = votes_to_expect(view, {snapshot.node_name, *wish.accounted_for})
    return (
        Step(
            "forget_on_seed",
            f"Delete {snapshot.node_name} from the cluster's configuration on {view.seen_from} ({view.address}).",
            {"seed": view.address, "name": snapshot.node_name, "votes": votes, "timeout": wish.timeout},
        ),
    )
