#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster_report
short_description: Make one picture of a cluster from what each of its nodes has said
version_added: 0.1.0
description:
  - Takes the answers of M(baremetal.proxmox.proxmox_cluster_info) of all nodes, shows them as text or JSON, and tells whether the cluster is healthy.
  - A node that did not answer makes the cluster unhealthy. So does a disagreement between the nodes.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
notes:
  - This is an action plugin. It runs on the controller, once for all hosts.
options:
  hosts:
    description: All nodes that are meant.
    type: list
    elements: str
    required: true
  infos:
    description: The variable in which each host has registered its answer.
    type: str
    default: proxmox_cluster_info_result
  cluster_name:
    description: The name that the cluster has to have.
    type: str
  view:
    description: What is shown.
    type: str
    choices: [status, nodes, health, none]
    default: health
  output:
    description: How it is shown.
    type: str
    choices: [text, json]
    default: text
"""

EXAMPLES = r"""
---
- name: Ask every node
  baremetal.proxmox.proxmox_cluster_info:
  register: proxmox_cluster_info_result

- name: Show one picture
  baremetal.proxmox.proxmox_cluster_report:
    hosts: "{{ groups.proxmox_cluster }}"
    view: nodes
  run_once: true
"""

RETURN = r"""
---
report:
  description: The picture, with C(healthy), C(cluster), C(nodes), C(ha) and C(problems).
  returned: success
  type: dict
text:
  description: What was shown.
  returned: success
  type: str
"""
