#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_report
short_description: Write a report of a cluster and its guests as a page, as JSON and as metrics
version_added: 0.1.0
description:
  - Writes C(report.html), a page that needs no network and no script to be viewed, C(report.json) with the same as data, and C(report.prom) for
    the textfile collector of Prometheus' node exporter.
  - Compares with the C(report.json) that is there, and tells what has changed since.
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
  - This is an action plugin. It runs on the controller, and writes there.
  - The page shows names, addresses and findings of the cluster. It holds no passwords, keys or tokens.
options:
  directory:
    description: Where the three files are written. It is created if there is none.
    type: path
    required: true
  report:
    description: What M(baremetal.proxmox.proxmox_cluster_report) returned in RV(baremetal.proxmox.proxmox_cluster_report#module:report).
    type: dict
    required: true
  guests:
    description: What M(baremetal.proxmox.guest_agent_facts) returned in RV(baremetal.proxmox.guest_agent_facts#module:guests).
    type: list
    elements: dict
    default: []
  resources:
    description: The answer of C(pvesh get /cluster/resources). It names containers, templates and what runs.
    type: list
    elements: dict
    default: []
  findings:
    description: What M(baremetal.proxmox.proxmox_preflight_report) returned in RV(baremetal.proxmox.proxmox_preflight_report#module:findings).
    type: list
    elements: dict
    default: []
  unknown:
    description: What could not be read, one sentence each. Each becomes an error in the report.
    type: list
    elements: str
    default: []
seealso:
  - module: baremetal.proxmox.proxmox_cluster_report
"""

EXAMPLES = r"""
---
- name: Ask every node
  baremetal.proxmox.proxmox_cluster_info:
  register: proxmox_cluster_info_result

- name: Make one picture
  baremetal.proxmox.proxmox_cluster_report:
    hosts: "{{ groups.proxmox_cluster }}"
    view: none
  register: picture
  run_once: true

- name: Write the report
  baremetal.proxmox.proxmox_report:
    directory: /srv/www/proxmox
    report: "{{ picture.report }}"
  run_once: true
"""

RETURN = r"""
---
page:
  description: The path of the page.
  returned: success
  type: str
  sample: /srv/www/proxmox/report.html
healthy:
  description: Whether the cluster is healthy.
  returned: success
  type: bool
  sample: true
changes:
  description: What has changed since the last report, one sentence each. The task is changed if there are any, or if this is the first report.
  returned: success
  type: list
  elements: str
  sample: [Node pve3 went offline.]
"""
