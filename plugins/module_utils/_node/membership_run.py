# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_cluster): read, name the state, plan, and carry that very plan out.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified, classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.expectation import Expectation
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.health import find_problems
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_member import (
    INSIDE,
    plan_joined,
    plan_present,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_standalone import plan_standalone
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Wish, wish_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.actions import Actions
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import held_while
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.member_api import read_view
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Here, read_here
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.save import COROSYNC
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.seeds import ask_early, find_view
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.transient import log_file
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, apply_plan

# More than one step's time, so that the lease of a living run does not end under it.
_LEASE_FACTOR = 4


def set_membership(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    wish = replace(wish_of(params), founder_planned=check_mode and bool(params.get("founder_planned")))
    if check_mode:
        return _run(wish, params, check_mode=True)
    with held_while(params.get("lock_owner"), wish.timeout * _LEASE_FACTOR):
        return _run(wish, params, check_mode=False)


def _run(wish: Wish, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    password = params.get("seed_password") or ""
    # A member asks nobody; whether this is one is known for certain only after the reading.
    likely = wish.state == "joined" and not COROSYNC.joinpath("corosync.conf").exists()
    early = ask_early(wish) if likely and not (wish.founder_planned and check_mode) else None
    view: ClusterView | None = None
    now: Classified | None = None
    try:
        snapshot = read_here()
        now = classify(snapshot, wish.cluster_name)
        if _needs_view(wish, now) and not (wish.founder_planned and check_mode):
            view = find_view(wish, snapshot.node_name, password, early)
            now = classify(snapshot, wish.cluster_name, view)
        plan = plan_membership(wish, snapshot, now, view)
    except ClusterError as error:
        if now is not None:
            error.details.setdefault("node_state", now.state.value)
        raise
    finally:
        if early is not None:
            early.forget()
    result: dict[str, Any] = {
        "changed": plan.changed,
        "diff": plan.diff,
        "plan": plan.summaries,
        "node_state_before": now.state.value,
        "node_state": now.state.value,
        "warnings": list(plan.warnings),
        "members": list(snapshot.config.value.names) if snapshot.config.value else [],
        "backup_files": [],
        "log": [],
        "log_file": "",
        "resumed": False,
        "problems": [],
    }
    if check_mode or not plan.changed:
        return result
    seed = view.address if view is not None else ""
    look = (lambda: read_view(seed, password, wish.fingerprint)) if wish.method == "api" and seed else None
    actions = Actions(snapshot, Path(params["backup_directory"]), password, look)
    try:
        apply_plan(plan, actions.table())
    except ClusterError as error:
        _tell_failure(error, actions, wish)
        if wish.state == "joined" and params.get("on_failure") == "roll_back":
            _roll_back(wish, actions, password, error)
        raise
    return result | _outcome(actions, wish)


def plan_membership(wish: Wish, snapshot: Snapshot, now: Classified, view: ClusterView | None) -> Plan:
    if wish.state == "present":
        return plan_present(wish, snapshot, now)
    if wish.state == "joined":
        return plan_joined(wish, snapshot, now, view)
    return plan_standalone(wish, snapshot, now, view)


def _needs_view(wish: Wish, now: Classified) -> bool:
    """An unchanged member asks nobody; a node whose state is unknown is refused before anybody is asked."""
    if wish.state == "present" or now.state in (NodeState.UNKNOWN, NodeState.OTHER_CLUSTER):
        return False
    return wish.state == "standalone" or now.state not in INSIDE


def _outcome(actions: Actions, wish: Wish) -> dict[str, Any]:
    snapshot = actions.snapshot
    after = classify(snapshot, wish.cluster_name)
    config = snapshot.config.value
    found = find_problems(snapshot, after, Expectation(wish.cluster_name)) if config else []
    return {
        "node_state": after.state.value,
        "members": list(config.names) if config else [],
        "problems": [asdict(problem) for problem in found],
        "backup_files": actions.backup_files,
        "log": actions.log,
        "log_file": str(log_file(actions.operation)) if actions.operation else "",
        "resumed": actions.resumed,
    }


def _tell_failure(error: ClusterError, actions: Actions, wish: Wish) -> None:
    reading = Here().read()
    if reading.value is not None:
        after = classify(reading.value, wish.cluster_name)
        error.details["node_state"] = after.state.value
        error.details["way_forward"], error.details["way_back"] = after.way.forward, after.way.back
    error.details.setdefault("log", actions.log)
    error.details["backup_files"] = actions.backup_files


def _roll_back(wish: Wish, actions: Actions, password: str, error: ClusterError) -> None:
    """Take a failed join back on both sides: the node from its own dump, the cluster by forgetting the node."""
    back = replace(wish, state="standalone", cluster_name=None)
    try:
        snapshot = actions.read()
        view = find_view(back, snapshot.node_name, password)
        now = classify(snapshot, None, view)
        apply_plan(plan_standalone(back, snapshot, now, view), actions.table())
    except ClusterError as second:
        error.message += f" Taking the join back failed too: {second}"
        error.details["rolled_back"] = False
        return
    error.message += " The join was taken back: the node is standalone again and the cluster does not list it."
    error.details["rolled_back"] = True
    error.details["node_state"] = classify(actions.snapshot).state.value
