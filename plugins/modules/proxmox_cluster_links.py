#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster_links
short_description: Change links, votes and networks of a Proxmox VE cluster that exists
version_added: 0.1.0
description:
  - Runs on one member and changes the C(corosync.conf) of the whole cluster. What is not named stays as it is.
  - Nothing is written unless the cluster is quorate, all members are online and can be read, and every new address is
    configured on its node.
  - A running corosync cannot give a link another address. Such a link is taken away first and added again, in two changes, which
    needs another link to carry the cluster meanwhile.
  - The new file gets the next C(config_version) and takes the place of the old one in one step. It is not written when
    somebody else has changed the file meanwhile.
  - The change has succeeded when corosync runs the new version on every member and every link is connected. Otherwise the old
    content is written again, with a higher version, and the module fails.
  - The way back is kept ready on the node in a transient systemd unit. If the module is killed before it has seen the change
    working, that unit writes the old content again. If the node itself is switched off, the next run on it does.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._membership
attributes:
  check_mode:
    support: full
    details:
      - All checks are made, also those on the other members.
  diff_mode:
    support: full
options:
  cluster_name:
    description: A node of a cluster with another name is refused.
    type: str
  links:
    description: Links to add or to change.
    type: list
    elements: dict
    suboptions:
      number:
        description: The number of the link, 0 to 7.
        type: int
        required: true
      addresses:
        description:
          - IP addresses by the name of the node. A new link needs one for each member.
        type: dict
      priority:
        description:
          - The priority of the link, 0 to 255. Of the links that are connected, the one with the B(highest) number is used.
          - Proxmox VE's own help texts say the opposite; corosync decides.
        type: int
  remove_links:
    description: Numbers of links that shall be gone.
    type: list
    elements: int
  votes:
    description: Numbers of votes by the name of the node.
    type: dict
  token_coefficient:
    description: Corosync's token coefficient in milliseconds.
    type: int
  migration:
    description: The network of migrations, in C(datacenter.cfg). Only the keys that are given are changed.
    type: dict
    suboptions:
      type:
        description: Whether migrations are encrypted.
        type: str
        choices: [secure, insecure]
      network:
        description: The network over which guests migrate, for example V(10.10.0.0/24).
        type: str
  active_ha:
    description: Whether to change corosync's configuration although high availability is in use. A lost link can reset nodes then.
    type: str
    choices: [refuse, ignore]
    default: refuse
  timeout:
    description: Seconds until every member has to run the new configuration with all links connected.
    type: int
    default: 60
seealso:
  - module: baremetal.proxmox.proxmox_cluster
  - module: baremetal.proxmox.proxmox_cluster_info
"""

EXAMPLES = r"""
---
- name: Add a second link and prefer it
  baremetal.proxmox.proxmox_cluster_links:
    cluster_name: lab
    links:
      - number: 0
        priority: 10
      - number: 1
        priority: 20
        addresses:
          pve1: 198.51.100.11
          pve2: 198.51.100.12
          pve3: 198.51.100.13

- name: Migrate over the network of that link
  baremetal.proxmox.proxmox_cluster_links:
    migration:
      network: 198.51.100.0/24

- name: Remove it again
  baremetal.proxmox.proxmox_cluster_links:
    remove_links: [1]
"""

RETURN = r"""
---
plan:
  description: What was done, or in check mode would be done, in its order.
  returned: success
  type: list
  elements: str
  sample: ["Write corosync.conf with version 5."]
config_version:
  description: The version of C(corosync.conf) at the end.
  returned: success
  type: int
  sample: 5
rolled_back:
  description: Whether the old configuration is in place again.
  returned: failure of a change
  type: bool
remedy:
  description: What helps.
  returned: failure
  type: str
error:
  description: The kind of the error, for example V(Refused) or V(StepFailed).
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.config_run import change_links
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module


def main() -> None:
    link = {"number": {"type": "int", "required": True}, "addresses": {"type": "dict"}, "priority": {"type": "int"}}
    migration = {"type": {"type": "str", "choices": ["secure", "insecure"]}, "network": {"type": "str"}}
    module = AnsibleModule(
        argument_spec={
            "cluster_name": {"type": "str"},
            "links": {"type": "list", "elements": "dict", "options": link},
            "remove_links": {"type": "list", "elements": "int"},
            "votes": {"type": "dict"},
            "token_coefficient": {"type": "int", "no_log": False},
            "migration": {"type": "dict", "options": migration},
            "active_ha": {"type": "str", "choices": ["refuse", "ignore"], "default": "refuse"},
            "timeout": {"type": "int", "default": 60},
            "lock_owner": {"type": "str"},
        },
        supports_check_mode=True,
    )
    run_module(module, change_links)


if __name__ == "__main__":
    main()
