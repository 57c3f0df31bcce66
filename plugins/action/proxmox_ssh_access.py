# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_ssh_access)."""

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.access_run import set_access
from ansible_collections.baremetal.proxmox.plugins.modules.proxmox_ssh_access import ARGUMENT_SPEC
from ansible_collections.baremetal.proxmox.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """Has the node do it without the weight of a module."""

    argument_spec = ARGUMENT_SPEC
    work = set_access
