# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_cluster_node): remove another node from the cluster, on a member that stays.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_remove import Removal, plan_remove
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.actions import Actions
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import held_while
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import read_here
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import apply_plan

_LEASE_FACTOR = 3


def remove_node(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    removal = Removal(
        name=params["name"],
        remove_online=params["online"] == "remove",
        guests=params["guests"],
        ignore_active_ha=params["active_ha"] == "ignore",
        accounted_for=tuple(params["accounted_for"] or ()),
        clean_up=params["clean_up"],
        timeout=params["timeout"],
    )
    if check_mode:
        return _run(removal, params, check_mode=True)
    with held_while(params.get("lock_owner"), removal.timeout * _LEASE_FACTOR):
        return _run(removal, params, check_mode=False)


def _run(removal: Removal, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    snapshot = read_here()
    actions = Actions(snapshot, Path(params["backup_directory"]))
    resumed = snapshot.running_operation == "remove"
    if resumed and not check_mode:
        # An earlier run's deletion is still going on; what is left to do is decided by the state after it.
        actions.attach("remove", removal.timeout)
        snapshot = actions.snapshot
    now = classify(snapshot)
    try:
        plan = plan_remove(removal, snapshot, now)
        if plan.changed and not check_mode:
            apply_plan(plan, actions.table())
    except ClusterError as error:
        error.details.setdefault("node_state", now.state.value)
        error.details.setdefault("log", actions.log)
        raise
    config = actions.snapshot.config.value
    return {
        "changed": plan.changed or resumed,
        "diff": plan.diff,
        "plan": plan.summaries,
        "node_state": classify(actions.snapshot).state.value,
        "members": list(config.names) if config else [],
        "log": actions.log,
        "backup_files": actions.backup_files,
        "resumed": resumed,
    }
