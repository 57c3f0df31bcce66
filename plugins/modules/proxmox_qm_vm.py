#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_qm_vm
short_description: Keep virtual machines of Proxmox VE as they are declared
version_added: 0.1.0
description:
  - Takes a virtual machine, or a whole fleet of them, from nothing to running in one task, and keeps it as declared.
  - Only what is declared is owned. A key, or a property of one, that is left out stays as it is; O(absent_keys) removes it.
  - Nothing is lost. Hardware addresses and volumes are carried over, a disk grows or moves but is never replaced or made smaller.
  - Check mode shows the very plan that a real run carries out.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._session
  - baremetal.proxmox._virtual_machine
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
---
- name: A machine from a cloud image, running
  baremetal.proxmox.proxmox_qm_vm:
    name: web1
    image: local:import/debian-13-genericcloud-amd64.qcow2
    storage: local-lvm
    scsi: {scsi0: {size: 20G}}
    net: {net0: {model: virtio, bridge: vmbr0}}
    ipconfig: {ipconfig0: {ip: dhcp}}
    agent: true
    ciuser: ops
    sshkeys: "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    state: started

- name: Three clones of a template
  baremetal.proxmox.proxmox_qm_vm:
    defaults:
      clone: debian13
      vmid_range: [200, 299]
      memory: 2048
      state: started
    vms:
      - name: app1
      - name: app2
      - name: db1
        memory: 8192
        scsi: {scsi0: {size: 40G}}

- name: More memory, in force at once
  baremetal.proxmox.proxmox_qm_vm:
    name: db1
    memory: 16384
    restart_policy: if_required

- name: Take a card and its VLAN away from machines
  baremetal.proxmox.proxmox_qm_vm:
    name: app1
    absent_keys: [net1, net0.tag]

- name: Remove a machine even if it runs
  baremetal.proxmox.proxmox_qm_vm:
    name: app2
    state: absent
    force: true
"""

RETURN = r"""
---
vmid:
  description: The id, of a single machine.
  returned: without O(vms)
  type: int
  sample: 200
node:
  description: Where it is.
  returned: without O(vms)
  type: str
  sample: pve1
status:
  description: Whether it runs. V(absent) if it is not there.
  returned: without O(vms)
  type: str
  sample: running
actions:
  description: What was done, or in check mode would be done. With O(vms) the images that were fetched.
  returned: always
  type: list
  elements: str
  sample: ["Create web1 as 200 on pve1.", "Let scsi0 have 20G.", "Start web1."]
pending:
  description: The keys that wait for a full stop and start.
  returned: without O(vms)
  type: list
  elements: str
  sample: [cores]
restart_required:
  description: Whether something waits for a full stop and start.
  returned: without O(vms)
  type: bool
agent:
  description: What O(wait_for) found, for example C(primary_ipv4).
  returned: with O(wait_for)
  type: dict
  sample: {reason: ok, primary_ipv4: 192.0.2.11}
results:
  description: All of this for each of O(vms), by its name, or by its id if it has none.
  returned: with O(vms)
  type: dict
failed_vms:
  description: The names of those that could not be settled.
  returned: with O(vms)
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.arguments import module_options
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    session_argument_spec,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={**session_argument_spec(), **module_options()}, supports_check_mode=True, **SESSION_CONSTRAINTS
    )
    run_module(module)


if __name__ == "__main__":
    main()
