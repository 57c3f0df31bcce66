#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster_info
short_description: Read the cluster as this Proxmox VE node sees it, and judge its health
version_added: 0.1.0
description:
  - Reads members, votes, links, quorum, certificate and high availability of the node in one call, names the node's state, and lists
    what is not well, with what helps.
  - Leaves no trace on the node. Whether C(/etc/pve) can be written is read from its modes, as Proxmox VE itself does.
  - What cannot be read is a problem of its own. It never counts as good.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes.info_module
options:
  cluster_name:
    description: The cluster that the node should be in. Any other is a problem.
    type: str
  expected_members:
    description: The members that the cluster should have, neither more nor less.
    type: list
    elements: str
  wait:
    description: Seconds to wait until the node is healthy. At the end of them the problems are returned; the module does not fail.
    type: int
    default: 0
  try_logins:
    description:
      - Also log in to every other member that is online, with the key and the pinned host keys that Proxmox VE itself uses for
        migrations and remote consoles. A refused login is a problem.
    type: bool
    default: false
seealso:
  - module: baremetal.proxmox.proxmox_cluster
"""

EXAMPLES = r"""
---
- name: Read the cluster
  baremetal.proxmox.proxmox_cluster_info:
  register: result

- name: Wait until all three are there
  baremetal.proxmox.proxmox_cluster_info:
    cluster_name: lab
    expected_members: [pve1, pve2, pve3]
    wait: 60
  register: result
  failed_when: not result.health
"""

RETURN = r"""
---
health:
  description: Whether no problem is an error.
  returned: success
  type: bool
  sample: true
node:
  description: The node's name.
  returned: success
  type: str
  sample: pve1
node_state:
  description: The name of the node's state, for example V(standalone), V(member) or V(member_not_quorate).
  returned: success
  type: str
  sample: member
node_state_reason:
  description: What the state was recognised by.
  returned: success
  type: str
  sample: 3 of 3 votes, quorate. /etc/pve is writable.
way_forward:
  description: How to go on from that state.
  returned: success
  type: str
way_back:
  description: How to get out of that state backwards.
  returned: success
  type: str
cluster:
  description: The cluster as this node sees it. What could not be read is null.
  returned: success
  type: dict
  contains:
    name:
      description: The cluster's name, null for a standalone node.
      type: str
      sample: lab
    config_version:
      description: The version of C(corosync.conf).
      type: int
      sample: 3
    config_digest:
      description: The SHA-1 digest of C(corosync.conf), as Proxmox VE's API gives it.
      type: str
    quorate:
      description: Whether corosync is quorate.
      type: bool
      sample: true
    writable:
      description: Whether C(/etc/pve) can be written.
      type: bool
      sample: true
    expected_votes:
      description: The votes that all members would have together.
      type: int
      sample: 3
    total_votes:
      description: The votes that are there.
      type: int
      sample: 3
    quorum_votes:
      description: The votes that are needed.
      type: int
      sample: 2
    members:
      description: The configured members, with name, number, votes, addresses by link, and whether they are online and this node.
      type: list
      elements: dict
    links:
      description: How this node reaches each other member over each link.
      type: list
      elements: dict
    priorities:
      description: The priorities of links that have one. The highest wins.
      type: dict
    qdevice:
      description: The host of the quorum device, null without one.
      type: str
    certificate:
      description: The fingerprints of the certificate on disk and of the one served on port 8006.
      type: dict
    ha:
      description: The master, the nodes with an active watchdog, and the managed resources.
      type: dict
    unknown:
      description: What could not be read, with the reason.
      type: dict
problems:
  description: What is not well.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: A short name of the kind of problem.
      type: str
      sample: member_offline
    severity:
      description: V(error) or V(warning).
      type: str
      sample: error
    node:
      description: The node that sees it.
      type: str
      sample: pve1
    text:
      description: What is wrong.
      type: str
      sample: pve1 does not see pve3 online.
    remedy:
      description: What helps.
      type: str
leftovers:
  description: What a standalone node still holds of a cluster.
  returned: success
  type: list
  elements: str
node_directories:
  description: The directories in C(/etc/pve/nodes) with the guests whose configuration they hold.
  returned: success
  type: dict
boot_id:
  description: The kernel's number of this boot. It changes when the node was reset.
  returned: success
  type: str
logins:
  description: The members that let this node in (C(reached)), those that did not (C(refused)) and those not tried (C(offline)).
  returned: with O(try_logins) on a member
  type: dict
locked_by:
  description: Who holds the lease on the node, empty if nobody does.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.info_run import read_cluster
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str"},
    "expected_members": {"type": "list", "elements": "str"},
    "wait": {"type": "int", "default": 0},
    "try_logins": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), read_cluster)


if __name__ == "__main__":
    main()
