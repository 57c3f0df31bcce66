#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster_lock
short_description: Keep a Proxmox VE node for one controller during a change of membership
version_added: 0.1.0
description:
  - Takes or gives back a lease on the node. While it is held, the cluster modules refuse every other owner.
  - The lease ends by itself, at a reboot of the node or after O(expires). Every module run of its owner renews it.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
    details:
      - Neither takes nor gives back, and does not fail when another owner holds the lease.
  diff_mode:
    support: none
options:
  state:
    description: Whether the lease is to be held.
    type: str
    choices: [present, absent]
    default: present
  owner:
    description:
      - Who holds the lease, in words that tell another administrator whom to ask.
      - The run of ansible-playbook on this controller, if not given. A lease that a run of this very controller has left behind
        is taken over once that run is dead.
    type: str
  expires:
    description: Seconds after which the lease ends if its owner does nothing more.
    type: int
    default: 300
  steal:
    description: Take the lease although another owner holds it. Only right when that owner is gone for good.
    type: bool
    default: false
seealso:
  - module: baremetal.proxmox.proxmox_cluster
"""

EXAMPLES = r"""
---
- name: Nobody else changes the node meanwhile
  baremetal.proxmox.proxmox_cluster_lock:
    owner: admin@controller
"""

RETURN = r"""
---
owner:
  description: Who holds the lease now.
  returned: success
  type: str
held_by:
  description: Who holds it instead.
  returned: when another owner holds the lease
  type: str
held_until:
  description: When that lease ends, in seconds since 1970.
  returned: when another owner holds the lease
  type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import set_lease
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "owner": {"type": "str"},
    "expires": {"type": "int", "default": 300},
    "steal": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), set_lease)


if __name__ == "__main__":
    main()
