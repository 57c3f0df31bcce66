#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_preflight_report
short_description: Judge on the controller what the nodes of a future cluster have said about themselves
version_added: 0.1.0
description:
  - Takes the answers of M(baremetal.proxmox.proxmox_preflight) of all nodes and finds what stands in the way of the cluster,
    in one table for all nodes, each line with its remedy.
  - Decides who founds the cluster, who is a member already, and who joins.
  - A node that did not answer is an error, never "not a member".
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
  cluster_name:
    description: The name of the cluster that the nodes are to form.
    type: str
    required: true
  hosts:
    description: All nodes that are meant, also those that have failed before.
    type: list
    elements: str
    required: true
  primaries:
    description: The nodes that may found the cluster, in this order.
    type: list
    elements: str
    default: []
  facts:
    description: The variable in which each host has registered its facts.
    type: str
    default: proxmox_preflight_facts
  probes:
    description: The variable in which each host has registered its probes. Without it only the facts are judged.
    type: str
  ignore:
    description: Codes of findings that are errors, and that the user has decided to live with.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
---
- name: Judge all nodes together
  baremetal.proxmox.proxmox_preflight_report:
    cluster_name: pve-cluster
    hosts: "{{ groups.proxmox_cluster }}"
    primaries: "{{ groups.proxmox_cluster_primary }}"
    probes: proxmox_preflight_probes
  run_once: true
"""

RETURN = r"""
---
findings:
  description: What was found.
  returned: always
  type: list
  elements: dict
  sample: [{"code": "guests", "node": "pve2", "severity": "error", "text": "...", "remedy": "..."}]
errors:
  description: How many of the findings are errors. The module itself does not fail for them, so that they can be shown well first.
  returned: always
  type: int
table:
  description: The findings as text.
  returned: always
  type: str
decision:
  description: Who founds the cluster, the members through which others can join, and who joins.
  returned: always
  type: dict
  sample: {"founder": "pve1", "seeds": [], "joiners": ["pve2", "pve3"]}
peers:
  description: For each host, the nodes that it has to probe.
  returned: always
  type: dict
links:
  description: For each host, its own addresses on the cluster's links.
  returned: always
  type: dict
addresses:
  description: For each host, the address at which the other nodes reach it.
  returned: always
  type: dict
names:
  description: For each host, the node's own name.
  returned: always
  type: dict
members:
  description: The names of all members of the cluster, those outside the inventory too.
  returned: always
  type: list
  elements: str
states:
  description: For each host, the name of its cluster state and what it means.
  returned: always
  type: dict
"""
