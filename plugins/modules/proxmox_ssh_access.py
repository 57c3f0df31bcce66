#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_ssh_access
short_description: Keep root of a Proxmox VE node reachable by SSH key, before, during and after a cluster join
version_added: 0.1.0
description:
  - Authorizes public keys for root where Proxmox VE expects them. On a node that is the list in the cluster file system,
    C(/etc/pve/priv/authorized_keys), to which C(/root/.ssh/authorized_keys) is a symbolic link. The link stays a link; where
    another tool has replaced it by a file, the keys of that file are carried over and the link is restored.
  - Keeps a second copy of the given keys outside of C(/etc/pve), because the cluster file system is empty for some seconds
    while a node joins, and read-only while a node has no quorum.
  - Makes sshd read both places, by a drop-in that concerns root only. The drop-in is checked with sshd itself, and taken back
    if sshd does not accept it.
  - Pins host keys of other nodes in C(/root/.ssh/known_hosts), which replaces stale keys of a node that was installed anew.
  - On a host without Proxmox VE it manages the ordinary C(authorized_keys).
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
  authorized_keys:
    description: Public keys that may log in as root, one line each. Keys that are there already stay.
    type: list
    elements: str
    default: []
  revoked_keys:
    description: Public keys to take out of the lists, for example those of a node that has left the cluster.
    type: list
    elements: str
    default: []
  known_hosts:
    description: Other hosts and the host keys they are known by. Other keys of these names are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      names:
        description: Names and addresses of the host, as ssh is called with.
        type: list
        elements: str
        required: true
      keys:
        description: All public host keys of that host. RV(host_keys) of the same module run on it.
        type: list
        elements: str
        required: true
  second_copy:
    description: Also keep O(authorized_keys) in C(/root/.ssh/authorized_keys2).
    type: bool
    default: true
  configure_sshd:
    description: Make sshd read the list in C(/etc/pve) and the second copy, if it does not yet.
    type: bool
    default: true
  permit_root_login:
    description:
      - Allow root to log in with a key where sshd forbids it.
      - Off by default, since it loosens a setting that somebody may have made on purpose. Proxmox VE itself needs root logins
        between the nodes of a cluster.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Authorize the controller's key and learn the node's host keys
  baremetal.proxmox.proxmox_ssh_access:
    authorized_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
  register: access

- name: Let the nodes know each other before they join
  baremetal.proxmox.proxmox_ssh_access:
    known_hosts:
      - names: [pve1, 192.0.2.11]
        keys: "{{ hostvars.pve1.access.host_keys }}"
"""

RETURN = r"""
---
mode:
  description: V(plain) without Proxmox VE, else V(standalone) or V(cluster).
  returned: success
  type: str
  sample: standalone
host_keys:
  description: The node's own public host keys.
  returned: success
  type: list
  elements: str
root_public_key:
  description: The key with which this node's root logs in to other nodes. Empty if there is none.
  returned: success
  type: str
root_may_use_keys:
  description: Whether sshd lets root in with a key.
  returned: success
  type: bool
password_login:
  description: Whether sshd lets root in with a password.
  returned: success
  type: bool
actions:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.access_run import set_access

ARGUMENT_SPEC = {
    "authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "revoked_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "known_hosts": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "names": {"type": "list", "elements": "str", "required": True},
            "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
        },
    },
    "second_copy": {"type": "bool", "default": True},
    "configure_sshd": {"type": "bool", "default": True},
    "permit_root_login": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), set_access)


if __name__ == "__main__":
    main()
