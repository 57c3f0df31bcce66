# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_cluster)."""

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.membership_run import set_membership
from ansible_collections.baremetal.proxmox.plugins.modules.proxmox_cluster import ARGUMENT_SPEC, REQUIRED_IF
from ansible_collections.baremetal.proxmox.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """Has the node do it without the weight of a module."""

    argument_spec = ARGUMENT_SPEC
    required_if = REQUIRED_IF
    work = set_membership
