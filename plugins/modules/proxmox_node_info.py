#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_node_info
short_description: Tell whether a host is a Proxmox VE node, and how it is
version_added: 0.1.0
description:
  - Reads, on the host it runs on, whether Proxmox VE is installed there, its version, the node's name and what that resolves to,
    whether the node is a member of a cluster, and the state of its services.
  - Changes nothing. Works on any Linux host; without Proxmox VE it says so and does not fail.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes.info_module
seealso:
  - name: Proxmox VE cluster manager
    description: What a node's name has to resolve to, and what quorum means.
    link: https://pve.proxmox.com/wiki/Cluster_Manager
"""

EXAMPLES = r"""
---
- name: Look at the node
  baremetal.proxmox.proxmox_node_info:
  register: result

- name: Stop where Proxmox VE is missing
  ansible.builtin.assert:
    that: result.node.installed
    fail_msg: "{{ inventory_hostname }} has no Proxmox VE."
"""

RETURN = r"""
---
node:
  description: What the host says about itself.
  returned: success
  type: dict
  contains:
    installed:
      description: Whether Proxmox VE is installed.
      type: bool
      sample: true
    version:
      description: The version of Proxmox VE's C(pve-manager), or null without it.
      type: str
      sample: 9.2.11
    major:
      description: The first number of RV(node.version).
      type: int
      sample: 9
    name:
      description: The node's name, which is the host name up to the first dot.
      type: str
      sample: pve1
    kernel:
      description: The running kernel.
      type: str
      sample: 7.0.2-1-pve
    addresses:
      description: What RV(node.name) resolves to on the node itself.
      type: list
      elements: str
      sample: [192.0.2.11]
    membership:
      description:
        - V(standalone) or V(member) of a cluster.
        - V(unknown) when the cluster file system does not tell. V(none) without Proxmox VE.
      type: str
      sample: member
    cluster:
      description: The cluster as this node sees it, or null.
      type: dict
      contains:
        name:
          description: The cluster's name.
          type: str
          sample: production
        quorate:
          description: Whether this node is in the part of the cluster that has quorum.
          type: bool
          sample: true
        nodes:
          description: The members, by node id.
          type: list
          elements: dict
          contains:
            name:
              description: The member's name.
              type: str
              sample: pve1
            node_id:
              description: Its number in corosync's configuration.
              type: int
              sample: 1
            online:
              description: Whether this node sees it.
              type: bool
              sample: true
            address:
              description: The address that its name stands for in the cluster.
              type: str
              sample: 192.0.2.11
    services:
      description: The state of each of Proxmox VE's services in systemd's words. Empty when systemd does not tell.
      type: dict
      sample:
        corosync: inactive
        pveproxy: active
    problems:
      description: What is wrong with the node, in sentences.
      type: list
      elements: str
      sample:
        - "The cluster production has no quorum here: /etc/pve is read-only."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node_info import Host, node_info


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.exit_json(changed=False, node=node_info(Host()).as_result())


if __name__ == "__main__":
    main()
