# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_ssh_access): read, plan, carry the plan out, and tell what is there then.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import apply_plan
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh import node
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.access import WantedAccess, plan_access
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import HostKeys, require_key


def set_access(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    try:
        wanted = wanted_access(params)
        state = node.read_access_state()
        plan = plan_access(wanted, state)
        if plan.changed and not check_mode:
            apply_plan(plan, node.ACTIONS)
            state = node.read_access_state()
    except (ValueError, OSError, node.AccessError) as error:
        raise ClusterError(f"SSH access was not set up: {error}") from error
    return {
        "changed": plan.changed,
        "diff": [
            {"before_header": path, "after_header": path, "before": plan.before[path], "after": plan.after[path]}
            for path in plan.before
        ],
        "actions": plan.summaries,
        "mode": state.mode,
        "host_keys": node.read_host_keys(),
        "root_public_key": node.read_root_public_key() or "",
        "root_may_use_keys": state.daemon.root_may_use_keys,
        "password_login": state.daemon.root_may_use_password,
        "warnings": list(plan.warnings),
    }


def wanted_access(params: Mapping[str, Any]) -> WantedAccess:
    """The options as the planner takes them. Raises ValueError for what is not a public key."""
    for line in [*params["authorized_keys"], *params["revoked_keys"]]:
        require_key(line)
    hosts = tuple(
        HostKeys(tuple(host["names"]), tuple(map(require_key, host["keys"]))) for host in params["known_hosts"]
    )
    return WantedAccess(
        keys=tuple(params["authorized_keys"]),
        revoked=tuple(params["revoked_keys"]),
        known_hosts=hosts,
        second_copy=params["second_copy"],
        configure_daemon=params["configure_sshd"],
        permit_root_login=params["permit_root_login"],
    )
