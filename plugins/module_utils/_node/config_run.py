# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_cluster_links): read all members, plan, and carry that very plan out.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.config_change import ConfigWish, LinkWish
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import read_corosync_config
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.datacenter import plan_options
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, StateUnknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_config import (
    plan_config,
    refuse_unfit_node,
    refuse_unsafe_change,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import config_guard
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.config_actions import CONFIG, ConfigActions
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import held_while
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import read_here
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, apply_plan

_DATACENTER = Path("/etc/pve/datacenter.cfg")
_LEASE_FACTOR = 4
_UNSEEN = (
    "An earlier change of corosync.conf was begun on this node and never seen working, because its run was killed or the node"
    " was switched off. It is taken back first."
)


def change_links(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    if check_mode:
        return _run(params, check_mode=True)
    with held_while(params.get("lock_owner"), params["timeout"] * _LEASE_FACTOR):
        return _run(params, check_mode=False)


def config_wish_of(params: Mapping[str, Any]) -> ConfigWish:
    links = {
        link["number"]: LinkWish({name: str(a) for name, a in (link["addresses"] or {}).items()}, link["priority"])
        for link in params["links"] or []
    }
    try:
        votes = {str(name): int(number) for name, number in (params["votes"] or {}).items()}
    except (TypeError, ValueError) as error:
        raise Refused(f"votes: {error}", "Give a number for each node.") from error
    return ConfigWish(links, frozenset(params["remove_links"] or ()), votes, params["token_coefficient"])


def _run(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    snapshot = read_here()
    view = view_of(snapshot, "")
    if view.value is None:
        raise StateUnknown(f"The cluster could not be read: {view.reason}")
    actions = ConfigActions(snapshot, {name: view.value.address_of(name) for name in view.value.config.names})
    unseen = config_guard.is_pending()
    if unseen and not check_mode:
        actions.take_back_unseen()
        snapshot = read_here()
    refuse_unfit_node(classify(snapshot, params["cluster_name"]))
    text = CONFIG.read_text(encoding="utf-8")
    plan = plan_config(text, config_wish_of(params), params["timeout"])
    if plan.changed:
        ignore_active_ha = params["active_ha"] == "ignore"
        refuse_unsafe_change(text, str(plan.after), snapshot, actions.read_members(), ignore_active_ha)
    datacenter = _DATACENTER.read_text(encoding="utf-8") if _DATACENTER.exists() else ""
    options = plan_options(datacenter, params["migration"] or {})
    if not check_mode:
        apply_plan(plan, actions.table())
        apply_plan(options, actions.table())
    return {
        "changed": plan.changed or options.changed or unseen,
        "diff": [_diff(plan, str(CONFIG)), _diff(options, str(_DATACENTER))],
        "plan": plan.summaries + options.summaries,
        "config_version": read_corosync_config(str(plan.after)).config_version,
        "warnings": [_UNSEEN] if unseen else [],
    }


def _diff(plan: Plan, path: str) -> dict[str, Any]:
    return {**plan.diff, "before_header": path, "after_header": path}
