#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_storage
short_description: Keep the storages of Proxmox VE as they are declared
version_added: 0.1.0
description:
  - Defines a storage of any type, changes its definition, or removes it. A definition holds for the whole cluster, so one node does this.
  - Only what is declared is owned. A key that is left out stays as it is; O(absent_keys) removes it.
  - Before anything is written, all nodes that shall use the storage are asked whether they reach it. A node that does not is named.
  - Files and volumes are never touched.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._session
  - baremetal.proxmox._storage
attributes:
  check_mode:
    support: full
    details:
      - The nodes are asked in check mode as well.
  diff_mode:
    support: full
"""

EXAMPLES = r"""
---
- name: Disks of guests on NFS, for two nodes
  baremetal.proxmox.proxmox_storage:
    name: shared
    type: nfs
    server: 192.0.2.50
    export: /srv/nfs/guests
    content: [images, rootdir]
    nodes: [pve1, pve2]

- name: A server that only speaks NFS 4
  baremetal.proxmox.proxmox_storage:
    name: archive
    type: nfs
    server: nas.example.org
    export: /archive
    options: vers=4.2
    content: [backup]
    prune_backups: {keep-daily: 7, keep-weekly: 4}

- name: All nodes may use it from now on
  baremetal.proxmox.proxmox_storage:
    name: shared
    nodes: []

- name: Gone, if nobody needs it
  baremetal.proxmox.proxmox_storage:
    name: shared
    state: absent
"""

RETURN = r"""
---
name:
  description: The storage's name.
  returned: success
  type: str
  sample: shared
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["Define storage shared (nfs)."]
definition:
  description: The definition as it is afterwards (in check mode, as it is now).
  returned: success
  type: dict
  sample: {type: nfs, server: 192.0.2.50, export: /srv/nfs/guests, content: "images,rootdir"}
checked_nodes:
  description: The nodes that were asked whether they reach the storage.
  returned: success
  type: list
  elements: str
  sample: [pve1, pve2]
nodes:
  description: Why each node cannot use the storage, by its name.
  returned: when nodes do not reach it
  type: dict
  sample: {pve2: "port 2049 of 192.0.2.50: Connection refused"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    session_argument_spec,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.arguments import module_options
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.module_run import run_module


def main() -> None:
    module = AnsibleModule(
        argument_spec={**session_argument_spec(), **module_options()}, supports_check_mode=True, **SESSION_CONSTRAINTS
    )
    run_module(module)


if __name__ == "__main__":
    main()
