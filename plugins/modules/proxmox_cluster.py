#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster
short_description: Make this Proxmox VE node create a cluster, join one, or leave it
version_added: 0.1.0
description:
  - Brings the node it runs on into the membership that O(state) names, from whatever state an earlier, perhaps interrupted, run
    left it in.
  - The long steps run on the node as a transient systemd unit with their own log. A dropped connection does not end them, and the
    next run waits for them.
  - Success is never taken from an exit code. It is read from this node and, for a join, from the member that was joined.
  - A state that cannot be read is an error; nothing is done on a guess.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._membership
  - baremetal.proxmox._membership.backup
attributes:
  check_mode:
    support: full
    details:
      - Prints the very plan that a normal run would carry out.
  diff_mode:
    support: full
options:
  state:
    description:
      - With V(present) the node is a member of O(cluster_name) and creates that cluster if it is in none.
      - With V(joined) the node is a member of O(cluster_name) and joins it through one of O(seeds) if it is in none.
      - With V(standalone) the node is in no cluster and holds no trace of one. What the cluster knows of the node is removed on
        another member with M(baremetal.proxmox.proxmox_cluster_node).
    type: str
    required: true
    choices: [present, joined, standalone]
  cluster_name:
    description:
      - The cluster's name, at most 15 letters, digits and inner dashes.
      - A node of a cluster with another name is refused, also with O(state=standalone).
    type: str
  links:
    description:
      - This node's addresses for corosync. Without any, Proxmox VE takes the address of the node's name as link 0.
      - When joining, every link that the cluster has must be given.
    type: list
    elements: dict
    suboptions:
      number:
        description: The number of the link, 0 to 7. Its place in the list if left out.
        type: int
      address:
        description: An IP address that is configured on this node.
        type: str
        required: true
      priority:
        description:
          - The priority of the link, only used when the cluster is created. The link with the highest number wins.
        type: int
  votes:
    description: The number of votes of this node.
    type: int
  node_id:
    description: The number of this node in the cluster.
    type: int
  token_coefficient:
    description: Corosync's token coefficient in milliseconds, only used when the cluster is created.
    type: int
  seeds:
    description:
      - Addresses of members. The first one that is quorate and can write is used.
      - With O(state=standalone), the cluster is made to forget the node through one of them. Use it to take back a failed join.
    type: list
    elements: str
  method:
    description:
      - With V(ssh) the node joins with Proxmox VE's own SSH key. The seed must accept this node's C(/root/.ssh/id_rsa.pub), and the
        seed's host key must be in C(/root/.ssh/known_hosts) here under the address in O(seeds). Unknown hosts are never accepted.
      - With V(api) the node joins over port 8006 with O(seed_password) and O(seed_fingerprint).
    type: str
    choices: [ssh, api]
    default: ssh
  seed_password:
    description: The password of root on the seed. It is handed over on a file that only root can read and that is gone at once.
    type: str
  seed_fingerprint:
    description: The SHA-256 fingerprint of the certificate on the seed's port 8006.
    type: str
  accounted_for:
    description:
      - Members that are known for certain not to be running as members, because they are switched off or were read as standalone.
      - Only with this knowledge a cluster without quorum is told to expect fewer votes.
    type: list
    elements: str
  founder_planned:
    description:
      - In check mode, plan a join although the cluster does not exist yet, because the same playbook would create it.
      - No seed is looked at then. Without check mode this option does nothing.
    type: bool
    default: false
  on_failure:
    description:
      - What to do when a join fails half way. V(keep) leaves the node as it is, for the next run to finish or take back.
      - V(roll_back) restores the node from the dump that the join made, and makes the cluster forget it.
    type: str
    choices: [keep, roll_back]
    default: keep
  foreign_guests:
    description: What to do with directories of other nodes in C(/etc/pve/nodes) that hold configurations of guests.
    type: str
    choices: [refuse, forget]
    default: refuse
  active_ha:
    description: Whether to leave a cluster although high availability is in use. An active watchdog resets the node.
    type: str
    choices: [refuse, ignore]
    default: refuse
  still_member:
    description: Whether a node may leave that the cluster still lists and that sees other members online.
    type: str
    choices: [refuse, leave]
    default: refuse
  fresh_identity:
    description:
      - With O(state=standalone), begin with an empty database, so that certificate authority, keys, tokens and users are new.
      - Who may log in as root by SSH key stays. A node with guests is refused.
    type: bool
    default: false
  backup:
    description: Whether to save C(config.db), the corosync and the storage configuration before leaving a cluster.
    type: bool
    default: true
seealso:
  - module: baremetal.proxmox.proxmox_cluster_node
  - module: baremetal.proxmox.proxmox_cluster_info
  - module: baremetal.proxmox.proxmox_cluster_lock
"""

EXAMPLES = r"""
---
- name: Create the cluster on the first node
  baremetal.proxmox.proxmox_cluster:
    state: present
    cluster_name: lab

- name: Join it over two links
  baremetal.proxmox.proxmox_cluster:
    state: joined
    cluster_name: lab
    seeds: [192.0.2.11, 192.0.2.12]
    links:
      - address: 192.0.2.13
      - address: 198.51.100.13

- name: Be alone again
  baremetal.proxmox.proxmox_cluster:
    state: standalone
    cluster_name: lab
"""

RETURN = r"""
---
plan:
  description: What was done, or in check mode would be done, in its order.
  returned: success
  type: list
  elements: str
  sample: ["Create the cluster lab."]
node_state:
  description: The name of the node's state at the end. On failure, the state in which the node was left.
  returned: always
  type: str
  sample: member
node_state_before:
  description: The name of the node's state at the beginning.
  returned: success
  type: str
  sample: standalone
members:
  description: The names of the members that this node lists.
  returned: success
  type: list
  elements: str
  sample: [pve1]
problems:
  description: What is not well with the node after a change, as in M(baremetal.proxmox.proxmox_cluster_info).
  returned: success
  type: list
  elements: dict
log:
  description: The last words of the command.
  returned: success or failure of a step
  type: list
  elements: str
log_file:
  description: The file on the node that holds all its words.
  returned: success
  type: str
backup_files:
  description: The backups made on the node in this run.
  returned: success
  type: list
  elements: str
resumed:
  description: Whether the run waited for a step that an earlier run, or somebody else, had started.
  returned: success
  type: bool
remedy:
  description: What helps.
  returned: failure
  type: str
error:
  description: The kind of the error, for example V(Refused), V(StateUnknown), V(StepFailed), V(Unreachable) or V(Locked).
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.membership_run import set_membership
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.module_run import run_module

_LINK = {"number": {"type": "int"}, "address": {"type": "str", "required": True}, "priority": {"type": "int"}}
ARGUMENT_SPEC = {
    "state": {"type": "str", "required": True, "choices": ["present", "joined", "standalone"]},
    "cluster_name": {"type": "str"},
    "links": {"type": "list", "elements": "dict", "options": _LINK},
    "votes": {"type": "int"},
    "node_id": {"type": "int"},
    "token_coefficient": {"type": "int", "no_log": False},
    "seeds": {"type": "list", "elements": "str"},
    "method": {"type": "str", "choices": ["ssh", "api"], "default": "ssh"},
    "seed_password": {"type": "str", "no_log": True},
    "seed_fingerprint": {"type": "str"},
    "accounted_for": {"type": "list", "elements": "str"},
    "founder_planned": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 180},
    "on_failure": {"type": "str", "choices": ["keep", "roll_back"], "default": "keep"},
    "foreign_guests": {"type": "str", "choices": ["refuse", "forget"], "default": "refuse"},
    "active_ha": {"type": "str", "choices": ["refuse", "ignore"], "default": "refuse"},
    "still_member": {"type": "str", "choices": ["refuse", "leave"], "default": "refuse"},
    "fresh_identity": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": True},
    "backup_directory": {"type": "path", "default": "/var/lib/baremetal-proxmox/backup"},
    "lock_owner": {"type": "str"},
}
REQUIRED_IF = [("state", "present", ["cluster_name"]), ("state", "joined", ["cluster_name", "seeds"])]


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, required_if=REQUIRED_IF, supports_check_mode=True)
    run_module(module, set_membership)


if __name__ == "__main__":
    main()
