#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster_node
short_description: Remove another node from the Proxmox VE cluster of this one
version_added: 0.1.0
description:
  - Runs on a member that stays, and removes another node from the cluster's configuration together with its traces.
  - The node itself, if it still runs, keeps its old configuration and becomes read-only. Bring it out with
    M(baremetal.proxmox.proxmox_cluster) and O(ignore:state=standalone).
  - Refuses whatever would cost the cluster its quorum, or a node its watchdog, or a guest its configuration.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._membership
  - baremetal.proxmox._membership.backup
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: The name of the node that shall be gone.
    type: str
    required: true
  state:
    description: A node can only be removed here. It joins by M(baremetal.proxmox.proxmox_cluster) on the node itself.
    type: str
    choices: [absent]
    default: absent
  online:
    description: Whether a node may be removed while it is online. Its corosync is stopped by that at once.
    type: str
    choices: [refuse, remove]
    default: refuse
  guests:
    description:
      - What to do when C(/etc/pve/nodes) has configurations of guests of that node.
      - V(keep) leaves them where they are, V(forget) saves them in O(backup_directory) and removes them.
    type: str
    choices: [refuse, keep, forget]
    default: refuse
  active_ha:
    description: Whether to remove a node on which high availability is active.
    type: str
    choices: [refuse, ignore]
    default: refuse
  accounted_for:
    description:
      - Absent members that are known for certain not to be running as members, because they are switched off or were read as
        standalone. Only if this holds for every absent member, a cluster without quorum is told to expect fewer votes.
    type: list
    elements: str
  clean_up:
    description:
      - Whether to remove the node's directory, its SSH keys and known hosts, and its name from storages, replication jobs and HA.
    type: bool
    default: true
seealso:
  - module: baremetal.proxmox.proxmox_cluster
"""

EXAMPLES = r"""
---
- name: Remove a node that is gone for good
  baremetal.proxmox.proxmox_cluster_node:
    name: pve3

- name: Take a running node out
  baremetal.proxmox.proxmox_cluster_node:
    name: pve3
    online: remove
"""

RETURN = r"""
---
plan:
  description: What was done, or in check mode would be done, in its order.
  returned: success
  type: list
  elements: str
  sample: ["Delete pve3 from the cluster's configuration."]
members:
  description: The names of the members at the end.
  returned: success
  type: list
  elements: str
  sample: [pve1, pve2]
node_state:
  description: The name of this node's own state.
  returned: always
  type: str
  sample: member
log:
  description: The last words of the command.
  returned: always
  type: list
  elements: str
backup_files:
  description: The copies made on this node in this run.
  returned: success
  type: list
  elements: str
resumed:
  description: Whether the run waited for a deletion that an earlier run had started.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.removal_run import remove_node


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["absent"], "default": "absent"},
            "online": {"type": "str", "choices": ["refuse", "remove"], "default": "refuse"},
            "guests": {"type": "str", "choices": ["refuse", "keep", "forget"], "default": "refuse"},
            "active_ha": {"type": "str", "choices": ["refuse", "ignore"], "default": "refuse"},
            "accounted_for": {"type": "list", "elements": "str"},
            "clean_up": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 180},
            "backup_directory": {"type": "path", "default": "/var/lib/baremetal-proxmox/backup"},
            "lock_owner": {"type": "str"},
        },
        supports_check_mode=True,
    )
    run_module(module, remove_node)


if __name__ == "__main__":
    main()
