#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_preflight
short_description: Read what decides whether a node can found or join a cluster, and probe the network between the nodes
version_added: 0.1.0
description:
  - Reads a node's facts for a preflight, and with O(peers) probes the way to other nodes. It changes nothing on the node, no
    file, no key, no time stamp.
  - The judgement over all nodes is made in one place on the controller, by M(baremetal.proxmox.proxmox_preflight_report).
  - With O(token) the node also answers the probes of the others for O(answer_for) seconds, from a process without a file that ends by itself.
    The probes travel on corosync's own ports, and are seen also where corosync is running already.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  token:
    description: A random text, the same for all nodes of a run. Probes without it are not answered.
    type: str
  answer_for:
    description: How many seconds the node answers probes.
    type: int
    default: 60
  links:
    description: The node's own addresses on the cluster's links, by link number. Only with O(peers).
    type: dict
    default: {}
  peers:
    description: The nodes to probe. Without them the node's facts are read.
    type: list
    elements: dict
    suboptions:
      name:
        description: The peer's name in the answers.
        type: str
        required: true
      address:
        description: Where its SSH and its API are.
        type: str
        required: true
      links:
        description: Its addresses on the cluster's links, by link number.
        type: dict
        default: {}
"""

EXAMPLES = r"""
---
- name: Read the facts and answer probes
  baremetal.proxmox.proxmox_preflight:
    token: "{{ lookup('ansible.builtin.password', '/dev/null', seed=inventory_hostname) }}"
  register: facts
"""

RETURN = r"""
---
collected:
  description: The node's cluster state.
  returned: without O(peers)
  type: dict
facts:
  description: The other facts.
  returned: without O(peers)
  type: dict
probes:
  description: What came back from the peers, one entry for each TCP port and each link.
  returned: with O(peers)
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.run import read_or_probe

ARGUMENT_SPEC = {
    "token": {"type": "str", "no_log": True},
    "answer_for": {"type": "int", "default": 60},
    "links": {"type": "dict", "default": {}},
    "peers": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "address": {"type": "str", "required": True},
            "links": {"type": "dict", "default": {}},
        },
    },
}


def main() -> None:
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), read_or_probe)


if __name__ == "__main__":
    main()
