#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_ha
short_description: Put a guest under high availability and say which nodes it prefers
version_added: 0.1.0
description:
  - Declares for one guest what HA shall do with it, and where. The same declaration holds on every version of Proxmox VE. It becomes a
    group on version 8, and a node affinity rule from version 9 on.
  - One group or rule is made per guest, C(prefer-vm-100). One that exists for this guest alone is changed instead, for example what
    version 9 made of a group. A guest is taken out of other rules for its nodes, since contradicting rules are heeded by nobody.
  - A request to HA only begins the work. The module waits until the guest is as declared, and where it belongs.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._session
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  guest:
    description: The guest, as C(vm:100), C(ct:200), or by its number alone.
    type: str
    required: true
    aliases:
      - sid
  state:
    description:
      - What HA shall do. V(started) and V(stopped) keep the guest so. V(disabled) stops it and leaves it alone, which also ends the state
        C(error). With V(ignored) HA does not touch it.
      - V(absent) takes the guest out of HA, as it is.
      - If it is left out, a new resource is V(started) and an existing one stays as it is.
    type: str
    choices:
      - started
      - stopped
      - disabled
      - ignored
      - absent
  prefer:
    description:
      - 'Nodes and their priorities, from 0 to 1000, for example C({pve1: 100, pve2: 50}). The guest runs on the online node with the
        highest one.'
      - A list of nodes gives all of them the same.
      - An empty dictionary ends all preferences.
      - If it is left out, the guest's place is not touched.
    type: raw
  strict:
    description: Never run the guest on a node that O(prefer) does not name, even if none of these is online.
    type: bool
  failback:
    description:
      - Let the guest go back when a better node is online again. Proxmox VE does so unless told otherwise.
      - Before version 9 this needs O(prefer).
    type: bool
  max_restart:
    description: How often a start that fails is tried again on the same node.
    type: int
  max_relocate:
    description: How often the guest is tried on another node after that.
    type: int
  comment:
    description: A remark.
    type: str
  wait:
    description: Wait until the guest is as declared, and where it belongs.
    type: bool
    default: true
  timeout:
    description: Seconds to wait.
    type: int
    default: 180
"""

EXAMPLES = r"""
---
- name: Runs on pve1, on pve2 when pve1 is gone, and elsewhere if need be
  baremetal.proxmox.proxmox_ha:
    guest: ct:200
    state: started
    prefer: {pve1: 100, pve2: 50}
    max_restart: 2
    max_relocate: 3

- name: Only ever on these two, and it stays where it was started
  baremetal.proxmox.proxmox_ha:
    guest: vm:100
    prefer: [pve1, pve2]
    strict: true
    failback: false

- name: No longer under HA
  baremetal.proxmox.proxmox_ha:
    guest: vm:100
    state: absent
"""

RETURN = r"""
---
guest:
  description: The guest's full name.
  returned: success
  type: str
  sample: ct:200
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["Put ct:200 under HA (started).", "Make the rule prefer-ct-200 (pve1:100,pve2:50)."]
expected_node:
  description: The online node that the guest prefers to all others. Null if there is none, or several are as good.
  returned: success
  type: str
  sample: pve1
node:
  description: Where HA has the guest. Null if HA does not have it, and in check mode before it is added.
  returned: success
  type: str
  sample: pve1
service_state:
  description: What HA says of the guest.
  returned: success
  type: str
  sample: started
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    session_argument_spec,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **session_argument_spec(),
            "guest": {"type": "str", "required": True, "aliases": ["sid"]},
            "state": {"type": "str", "choices": ["started", "stopped", "disabled", "ignored", "absent"]},
            "prefer": {"type": "raw"},
            "strict": {"type": "bool"},
            "failback": {"type": "bool"},
            "max_restart": {"type": "int"},
            "max_relocate": {"type": "int"},
            "comment": {"type": "str"},
            "wait": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
        **SESSION_CONSTRAINTS,
    )
    run_module(module)


if __name__ == "__main__":
    main()
