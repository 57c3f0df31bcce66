#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_pct_ct
short_description: Keep containers of Proxmox VE as they are declared
version_added: 0.1.0
description:
  - Takes a container, or a whole fleet of them, from nothing to running in one task, and keeps it as declared.
  - Only what is declared is owned. A key, or a property of one, that is left out stays as it is; O(absent_keys) removes it.
  - Nothing is lost. Hardware addresses and volumes are carried over, a volume grows or moves but is never replaced or made smaller.
  - Check mode shows the very plan that a real run carries out.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._session
  - baremetal.proxmox._container
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
seealso:
  - module: baremetal.proxmox.proxmox_qm_vm
"""

EXAMPLES = r"""
---
- name: A container from a template, running
  baremetal.proxmox.proxmox_pct_ct:
    name: dns1
    ostemplate: local:vztmpl/debian-13-standard_13.1-1_amd64.tar.zst
    rootfs: {storage: local-lvm, size: 8G}
    memory: 512
    net: {net0: {name: eth0, bridge: vmbr0, ip: 192.0.2.5/24, gw: 192.0.2.1}}
    features: {nesting: true}
    ssh_public_keys: "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    state: started

- name: Two containers that differ in a little
  baremetal.proxmox.proxmox_pct_ct:
    defaults:
      ostemplate: local:vztmpl/debian-13-standard_13.1-1_amd64.tar.zst
      storage: local-lvm
      vmid_range: [300, 399]
      net: {net0: {name: eth0, bridge: vmbr0, ip: dhcp}}
      state: started
    vms:
      - name: web1
      - name: files1
        memory: 2048
        mp: {mp0: {storage: local-lvm, size: 100G, mp: /srv}}

- name: A larger volume and one more processor
  baremetal.proxmox.proxmox_pct_ct:
    name: files1
    cores: 2
    mp: {mp0: {size: 200G}}

- name: Remove a container even if it runs
  baremetal.proxmox.proxmox_pct_ct:
    name: web1
    state: absent
    force: true
"""

RETURN = r"""
---
vmid:
  description: The id, of a single container.
  returned: without O(vms)
  type: int
  sample: 300
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
  description: What was done, or in check mode would be done. With O(vms) the templates that were fetched.
  returned: always
  type: list
  elements: str
  sample: ["Create dns1 as 300 on pve1.", "Start dns1."]
pending:
  description: The keys that wait for a full stop and start.
  returned: without O(vms)
  type: list
  elements: str
  sample: [features]
restart_required:
  description: Whether something waits for a full stop and start.
  returned: without O(vms)
  type: bool
agent:
  description: What O(wait_for) found, for example C(primary_ipv4).
  returned: with O(wait_for)
  type: dict
  sample: {reason: ok, primary_ipv4: 192.0.2.5}
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
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.guest_types import LXC
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    session_argument_spec,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={**session_argument_spec(), **module_options(LXC)},
        supports_check_mode=True,
        **SESSION_CONSTRAINTS,
    )
    run_module(module, LXC)


if __name__ == "__main__":
    main()
