#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_ssh_mesh
short_description: Log in from a cluster node to every other member, as Proxmox VE does for migrations and remote consoles
version_added: 0.1.0
description:
  - Uses the key of the node's root and the host keys that the cluster has pinned (C(/etc/pve/nodes/NAME/ssh_known_hosts)).
    Nothing is accepted that is not pinned there.
  - Changes nothing. A member that is offline is not tried.
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
  timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
"""

EXAMPLES = r"""
---
- name: Every node reaches every other
  baremetal.proxmox.proxmox_ssh_mesh:
  register: mesh
  failed_when: mesh.refused
"""

RETURN = r"""
---
reached:
  description: Names of the members that let this node in.
  returned: success
  type: list
  elements: str
refused:
  description: Members that did not, with C(name), C(address) and C(text).
  returned: success
  type: list
  elements: dict
offline:
  description: Members that were not tried, because they are offline.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import parse_members_file
from ansible_collections.baremetal.proxmox.plugins.module_utils._files import read_text
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.mesh import log_in_everywhere


def main() -> None:
    module = AnsibleModule(argument_spec={"timeout": {"type": "int", "default": 10}}, supports_check_mode=True)
    try:
        membership = parse_members_file(read_text("/etc/pve/.members") or "")
    except (OSError, UnreadableText) as error:
        module.fail_json(msg=f"The members of the cluster cannot be read: {error}")
    module.exit_json(changed=False, **log_in_everywhere(membership, module.params["timeout"]))


if __name__ == "__main__":
    main()
