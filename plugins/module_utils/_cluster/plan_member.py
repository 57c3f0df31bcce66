# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for a node that shall be a member: create its cluster (C(present)) or join one (C(joined)). Pure functions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified, leftovers
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.describe import describe_member, describe_now
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, StateUnknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.gates import (
    refuse_bad_addresses,
    refuse_own_guests,
    refuse_unready_cluster,
    votes_to_expect,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_standalone import (
    leave_steps,
    refuse_foreign_guests,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step

# What a node needs before it can create or join; everything else is already a member or refused.
OUTSIDE = (
    NodeState.STANDALONE,
    NodeState.STANDALONE_LEFTOVERS,
    NodeState.SEPARATED_STALE_NODES,
    NodeState.ADDED_NOT_JOINED,
    NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
)
HALF_JOINED = (NodeState.JOIN_INTERRUPTED_DATABASE_DELETED, NodeState.JOIN_INTERRUPTED_WAITING_QUORUM)
# These need nothing but the node itself, so that an unchanged run asks no other node.
INSIDE = (
    NodeState.MEMBER,
    NodeState.MEMBER_NOT_WRITABLE,
    NodeState.MEMBER_WITHOUT_CERTIFICATE,
    NodeState.MEMBER_STALE_COROSYNC,
)


def plan_present(wish: Wish, snapshot: Snapshot, now: Classified) -> Plan:
    """The node is the first of its cluster, or already a member of the cluster of that name."""
    _refuse_unknown(now)
    before = describe_now(snapshot, now)
    members = list(snapshot.config.value.names) if snapshot.config.value else [snapshot.node_name]
    after = describe_member(snapshot, wish.cluster_name, members)
    if now.state in INSIDE:
        return Plan(_repair_steps(snapshot, now, wish, None), before, after, _differences(wish, snapshot))
    if now.state is NodeState.CREATING:
        return Plan((_attach("create", wish), _await_member(wish, members, members)), before, after)
    if now.state is NodeState.CREATED_NOT_QUORATE:
        return Plan((_start_services(), _await_member(wish, members, members)), before, after)
    if now.state not in (
        NodeState.STANDALONE,
        NodeState.STANDALONE_LEFTOVERS,
        NodeState.SEPARATED_STALE_NODES,
        NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
    ):
        raise _refused(now, "create a cluster")
    refuse_bad_addresses(snapshot, wish)
    alone = [snapshot.node_name]
    steps = (
        *_cleaning_steps(snapshot, wish),
        Step(
            "create", f"Create the cluster {wish.cluster_name}.", {"argv": create_argv(wish), "timeout": wish.timeout}
        ),
        _await_member(wish, alone, alone),
    )
    return Plan(steps, before, describe_member(snapshot, wish.cluster_name, alone))


def plan_joined(wish: Wish, snapshot: Snapshot, now: Classified, view: ClusterView | None) -> Plan:
    """The node is a member of the cluster that C(view) shows; C(view) may be missing where the node needs no other."""
    _refuse_unknown(now)
    before = describe_now(snapshot, now)
    if now.state in INSIDE:
        members = list(snapshot.config.value.names) if snapshot.config.value else []
        after = describe_member(snapshot, wish.cluster_name, members)
        return Plan(_repair_steps(snapshot, now, wish, view), before, after, _differences(wish, snapshot))
    if now.state not in (
        *OUTSIDE,
        *HALF_JOINED,
        NodeState.JOINING,
        NodeState.REMOVED_NOT_SEPARATED,
        NodeState.SEPARATION_INTERRUPTED,
    ):
        raise _refused(now, "join")
    if view is None and wish.founder_planned and now.state in OUTSIDE:
        return _plan_with_founder(wish, snapshot, before)
    if view is None:
        raise StateUnknown("No member of the cluster could be read.", "Give the addresses of live members in seeds.")
    members = sorted({*view.config.names, snapshot.node_name})
    after = describe_member(snapshot, view.config.cluster_name, members)
    online = sorted({*view.online, snapshot.node_name})
    final = _await_member(wish, members, online, view.address)
    if now.state is NodeState.JOINING:
        return Plan((_attach("join", wish), final), before, after)
    if now.state in HALF_JOINED and _can_be_finished(snapshot, view):
        certify = Step("make_certificate", "Make the node's certificate and serve it.")
        return Plan((_start_services(), certify, final), before, after)
    refuse_own_guests(snapshot)
    refuse_bad_addresses(snapshot, wish)
    steps = _cleaning_steps(snapshot, wish) if now.state in OUTSIDE else leave_steps(wish, snapshot, now)
    refuse_unready_cluster(snapshot, wish, view)
    # Having read itself as standalone, this node is its own proof that it does not vote.
    votes = votes_to_expect(view, {snapshot.node_name, *wish.accounted_for})
    if votes is not None:
        steps += (_expect_votes(view, votes),)
    join = Step(
        "join",
        f"Join the cluster {view.config.cluster_name} through {view.seen_from} ({view.address}).",
        {"argv": join_argv(wish, view.address), "seed": view.address, "timeout": wish.timeout},
    )
    return Plan((*steps, join, final), before, after)


def _plan_with_founder(wish: Wish, snapshot: Snapshot, before: dict[str, Any]) -> Plan:
    """Check mode of a run that would create the cluster first: there is nothing yet to look at. Never carried out."""
    refuse_own_guests(snapshot)
    refuse_bad_addresses(snapshot, wish)
    seed = wish.seeds[0]
    join = Step("join", f"Join the cluster {wish.cluster_name} through {seed}.", {"argv": join_argv(wish, seed)})
    final = _await_member(wish, [snapshot.node_name], [snapshot.node_name], seed)
    after = describe_member(snapshot, wish.cluster_name, [snapshot.node_name])
    return Plan((*_cleaning_steps(snapshot, wish), join, final), before, after)


def create_argv(wish: Wish) -> list[str]:
    argv = ["pvecm", "create", wish.cluster_name or ""]
    for link in wish.links:
        argv += link.option
    if wish.votes is not None:
        argv += ["--votes", str(wish.votes)]
    if wish.node_id is not None:
        argv += ["--nodeid", str(wish.node_id)]
    if wish.token_coefficient is not None:
        argv += ["--token-coefficient", str(wish.token_coefficient)]
    return argv


def join_argv(wish: Wish, seed: str) -> list[str]:
    argv = ["pvecm", "add", seed]
    argv += ["--use_ssh"] if wish.method == "ssh" else ["--fingerprint", wish.fingerprint]
    for link in wish.links:
        # A priority belongs to the cluster's link and is set when the cluster is made; a joiner only gives its address.
        argv += [f"--link{link.number}", link.address]
    if wish.votes is not None:
        argv += ["--votes", str(wish.votes)]
    if wish.node_id is not None:
        argv += ["--nodeid", str(wish.node_id)]
    return argv


def _refuse_unknown(now: Classified) -> None:
    if now.state is NodeState.UNKNOWN:
        raise StateUnknown(f"The node's state is unknown. {now.reason}", now.way.forward)


def _refused(now: Classified, work: str) -> Refused:
    return Refused(
        f"The node cannot {work}: it is '{now.state.value}'. {now.way.meaning} {now.reason}", now.way.forward
    )


def _can_be_finished(snapshot: Snapshot, view: ClusterView) -> bool:
    """The cluster still lists this node exactly as the interrupted join wrote it down."""
    written, listed = snapshot.local_config.value, view.config.node(snapshot.node_name)
    return (
        written is not None
        and snapshot.authkey.present
        and listed is not None
        and written.cluster_name == view.config.cluster_name
        and written.node(snapshot.node_name) == listed
    )


def _repair_steps(snapshot: Snapshot, now: Classified, wish: Wish, view: ClusterView | None) -> tuple[Step, ...]:
    config = snapshot.config.value
    if now.state is NodeState.MEMBER or config is None:
        return () if snapshot.certificate_is_served is not False else (_reload_proxy(),)
    final = _await_member(wish, config.names, [snapshot.node_name], view.address if view else None)
    if now.state is NodeState.MEMBER_STALE_COROSYNC:
        return (Step("restart_corosync", "Restart corosync so that it reads the cluster's configuration."), final)
    if now.state is NodeState.MEMBER_WITHOUT_CERTIFICATE:
        return (Step("make_certificate", "Make the node's certificate and serve it."), final)
    return (final,)


def _differences(wish: Wish, snapshot: Snapshot) -> tuple[str, ...]:
    """What the wish says otherwise than the cluster's configuration, and this module does not change."""
    node = snapshot.config.value.node(snapshot.node_name) if snapshot.config.value else None
    if node is None:
        return ()
    found = []
    wanted = {link.number: link.address for link in wish.links}
    if wanted and wanted != dict(node.addresses):
        found.append(f"The node's links are {dict(node.addresses)}, not {wanted}; they are not changed here.")
    if wish.votes is not None and wish.votes != node.votes:
        found.append(f"The node has {node.votes} votes, not {wish.votes}; they are not changed here.")
    return tuple(found)


def _cleaning_steps(snapshot: Snapshot, wish: Wish) -> tuple[Step, ...]:
    steps: tuple[Step, ...] = ()
    found = leftovers(snapshot)
    stale = sorted(snapshot.other_directories)
    if len(found) > len(stale) or snapshot.mounted.value is False:
        steps += (
            Step("clean_leftovers", "Stop corosync, keep a copy of what is left in /etc/corosync and remove it."),
        )
    if stale:
        refuse_foreign_guests(snapshot, wish)
        steps += (Step("remove_directories", f"Remove /etc/pve/nodes/ of {', '.join(stale)}.", {"names": stale}),)
    return steps


def _expect_votes(view: ClusterView, votes: int) -> Step:
    return Step(
        "expect_votes_on_seed",
        f"Give {view.seen_from} its quorum back: expect {votes} vote(s); no other member is running.",
        {"seed": view.address, "votes": votes},
    )


def _attach(operation: str, wish: Wish) -> Step:
    summary = f"Wait for the end of the {operation} that is already running."
    return Step("attach", summary, {"operation": operation, "timeout": wish.timeout})


def _start_services() -> Step:
    return Step("start_services", "Start corosync and pve-cluster.")


def _reload_proxy() -> Step:
    return Step("reload_proxy", "Reload pveproxy so that it serves the certificate on disk.")


def _await_member(wish: Wish, members: Iterable[str], online: Iterable[str], seed: str | None = None) -> Step:
    names = sorted(members)
    where = "here" if seed is None else f"here and on {seed}"
    return Step(
        "await_membership",
        f"Wait until {', '.join(names)} are members, quorate, connected and able to write ({where}).",
        {
            "cluster_name": wish.cluster_name,
            "members": names,
            "online": sorted(online),
            "seed": seed,
            "timeout": wish.timeout,
        },
    )
