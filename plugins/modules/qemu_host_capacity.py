#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: qemu_host_capacity
short_description: Whether a host can carry the virtual machines that shall run on it
version_added: 0.1.0
description:
  - Compares memory, disk, cores, KVM and bridges with what is wanted, and tells all that is missing at once. Changes nothing and needs no privileges.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._attributes.info_module
options:
  directory:
    description: Where the disks will lie. It need not exist.
    type: path
    required: true
  nodes:
    description: The machines.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      memory:
        description: Its memory in MiB.
        type: int
        required: true
      cores:
        description: Its cores.
        type: int
        default: 1
      bridges:
        description: The bridges that it is plugged into.
        type: list
        elements: str
        default: []
      growth:
        description: How many MiB its disk may grow by.
        type: int
        default: 0
  acceleration:
    description: V(kvm) demands KVM, V(tcg) does without, V(auto) takes what works and warns if that is emulation.
    type: str
    choices:
      - auto
      - kvm
      - tcg
    default: auto
  reserved_memory:
    description: MiB of memory that are left to the host.
    type: int
    default: 1024
  reserved_disk:
    description: MiB of disk that are left to the host.
    type: int
    default: 2048
"""

EXAMPLES = r"""
---
- name: Is there room for one node
  baremetal.proxmox.qemu_host_capacity:
    directory: /var/lib/qemu-nodes
    nodes:
      - {name: vm1, memory: 8192, cores: 2, bridges: [virbr0], growth: 4096}
"""

RETURN = r"""
---
acceleration:
  description: What the machines will run with, V(kvm) or V(tcg).
  returned: success
  type: str
  sample: kvm
problems:
  description: What is missing; the module fails with these.
  returned: failure
  type: list
  elements: str
  sample: ["There is no bridge virbr0; there are br0."]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.capacity import Demands, Wanted, judge
from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.look import look_at_host


def main() -> None:
    node = {
        "name": {"type": "str", "required": True},
        "memory": {"type": "int", "required": True},
        "cores": {"type": "int", "default": 1},
        "bridges": {"type": "list", "elements": "str", "default": []},
        "growth": {"type": "int", "default": 0},
    }
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "nodes": {"type": "list", "elements": "dict", "required": True, "options": node},
            "acceleration": {"type": "str", "choices": ["auto", "kvm", "tcg"], "default": "auto"},
            "reserved_memory": {"type": "int", "default": 1024},
            "reserved_disk": {"type": "int", "default": 2048},
        },
        supports_check_mode=True,
    )
    params = module.params
    demands = Demands(
        nodes=[Wanted(**{**one, "bridges": tuple(one["bridges"])}) for one in params["nodes"]],
        acceleration=params["acceleration"],
        reserved_memory=params["reserved_memory"],
        reserved_disk=params["reserved_disk"],
    )
    try:
        verdict = judge(look_at_host(params["directory"]), demands)
    except OSError as error:
        module.fail_json(msg=f"The host cannot be looked at: {error}", problems=[str(error)])
    for warning in verdict.warnings:
        module.warn(warning)
    if verdict.errors:
        module.fail_json(msg=f"Nothing was created. {' '.join(verdict.errors)}", problems=list(verdict.errors))
    module.exit_json(changed=False, acceleration=verdict.acceleration)


if __name__ == "__main__":
    main()
