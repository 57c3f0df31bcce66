#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_node_identity
short_description: Make a clone of a Proxmox VE node a node of its own
version_added: 0.1.0
description:
  - Gives an empty clone its name (C(/etc/hosts) before the host name, C(/etc/mailname), postfix, the directories of figures), and everything
    that may exist only once. That is machine-id, SSH host keys, root's key, and the authority, keys and tokens of C(/etc/pve).
  - C(/etc/pve) begins afresh; nothing is renamed in it. Keys that may log in as root stay, but for the clone's own.
  - A clone that is in a cluster or has guests is refused.
  - The host's SSH keys are new afterwards. The role of the same name writes them down on the controller.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  hostname:
    description: The node's name, without the domain.
    type: str
    required: true
  domain:
    description: The domain behind it.
    type: str
    default: ""
  address:
    description: The node's own address, which its name shall lead to. Proxmox VE does not work with a loopback address there.
    type: str
    required: true
  timeout:
    description: Seconds that the renewal may take.
    type: int
    default: 300
"""

EXAMPLES = r"""
---
- name: No longer a copy
  baremetal.proxmox.proxmox_node_identity:
    hostname: vm1
    domain: example.org
    address: 192.168.122.11
"""

RETURN = r"""
---
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["Write /etc/hosts."]
host_keys:
  description: The public SSH host keys as they are now.
  returned: success
  type: list
  elements: str
  sample: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFGqk0AJC1bPH6p0bOCRJ0Yw6WKYwtJxJmZ0xPq4xkD"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.identity import IdentityError, Wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.identity_run import settle_identity


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "hostname": {"type": "str", "required": True},
            "domain": {"type": "str", "default": ""},
            "address": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    wish = Wish(module.params["hostname"], module.params["domain"].strip("."), module.params["address"])
    try:
        plan, keys = settle_identity(wish, module.check_mode, module.params["timeout"])
    except IdentityError as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    except OSError as error:
        module.fail_json(msg=f"The node cannot be read or written: {error}")
    else:
        module.exit_json(changed=plan.changed, diff=plan.diff, actions=plan.summaries, host_keys=keys)


if __name__ == "__main__":
    main()
