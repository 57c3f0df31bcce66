#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_qdevice
short_description: Give a Proxmox VE cluster a quorum device, or take it off
version_added: 0.1.0
description:
  - Runs on one member. The device is a host outside the cluster on which corosync-qnetd runs; its vote keeps a cluster with an even
    number of members alive when half of them are away.
  - C(pvecm qdevice) runs on the node as a transient systemd unit. Whether it worked is read from the votes on every member, never
    from its exit code. What an interrupted run has left is finished or removed by the next one.
  - The host is only logged in to when its host key is known already; nothing is trusted at first sight.
  - Take the device off before nodes join or leave, and put it back afterwards. The playbooks of this collection do so.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._membership
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  state:
    description: Whether the cluster shall have the device.
    type: str
    choices: [present, absent]
    default: present
  address:
    description: The IP address of the host. A device with another address is replaced.
    type: str
  cluster_name:
    description: A node of a cluster with another name is refused.
    type: str
  odd_members:
    description:
      - Whether to set up a device for an odd number of members.
      - With an odd number the device gets as many votes as there are members less one, so its loss weighs more than that of a node.
    type: str
    choices: [refuse, allow]
    default: refuse
  must_return:
    description: With O(state=absent), refuse to take the device off unless this node could set it up again at once.
    type: bool
    default: false
  accounted_for:
    description:
      - With O(state=absent), absent members that are known for certain not to be running, because they are switched off or gone.
      - Only with this knowledge the device is taken off where the cluster's quorum depends on it.
    type: list
    elements: str
seealso:
  - module: baremetal.proxmox.proxmox_cluster_info
"""

EXAMPLES = r"""
---
- name: A third vote for two nodes
  baremetal.proxmox.proxmox_qdevice:
    address: 192.0.2.5

- name: Take it off before a third node joins
  baremetal.proxmox.proxmox_qdevice:
    state: absent
"""

RETURN = r"""
---
plan:
  description: What was done, or in check mode would be done, in its order.
  returned: success
  type: list
  elements: str
address_before:
  description: The device that the cluster had at the beginning; empty if none.
  returned: success
  type: str
members:
  description: The number of members.
  returned: success
  type: int
expected_votes:
  description: The votes that this node expects at the end.
  returned: success
  type: int
total_votes:
  description: The votes that this node counts at the end.
  returned: success
  type: int
resumed:
  description: Whether the run waited for a step that an earlier run had started.
  returned: success
  type: bool
log:
  description: The last words of C(pvecm).
  returned: failure of a step
  type: list
  elements: str
remedy:
  description: What helps.
  returned: failure
  type: str
error:
  description: The kind of the error, for example V(Refused), V(Unreachable) or V(StepFailed).
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.qdevice_run import set_qdevice


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "address": {"type": "str"},
            "cluster_name": {"type": "str"},
            "odd_members": {"type": "str", "choices": ["refuse", "allow"], "default": "refuse"},
            "must_return": {"type": "bool", "default": False},
            "accounted_for": {"type": "list", "elements": "str"},
            "timeout": {"type": "int", "default": 180},
            "lock_owner": {"type": "str"},
        },
        required_if=[("state", "present", ["address"])],
        supports_check_mode=True,
    )
    run_module(module, set_qdevice)


if __name__ == "__main__":
    main()
