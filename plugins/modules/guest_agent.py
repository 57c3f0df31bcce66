#!/usr/bin/python
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: guest_agent
short_description: Let the QEMU guest agent of a virtual machine do something
version_added: 0.1.0
description:
  - Runs programs, reads and writes files, freezes and thaws file systems, sets passwords, shuts down and reboots, all through the guest agent and
    without any login to the guest.
  - Where the agent is silent, the message names the reason and the remedy in the words of M(baremetal.proxmox.guest_agent_facts).
  - Before every action but V(thaw), a guest that an earlier, killed run of this module has left frozen is thawed.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
attributes:
  check_mode:
    support: full
    details: With O(action=exec) nothing is run in check mode.
  diff_mode:
    support: full
    details: With O(action=write).
  idempotent:
    support: partial
    details: V(enable), V(thaw), V(write) and V(shutdown) change nothing the second time, the other actions are done each time.
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._session
options:
  vmid:
    description: The number of the virtual machine.
    type: int
  name:
    description: The name of the virtual machine. It must be the only one of that name.
    type: str
  node:
    description: Only accept a virtual machine on this node.
    type: str
  action:
    description:
      - V(enable) switches the option C(agent) on, and stops and starts a running virtual machine that has no port for the agent yet, once. It installs
        nothing in the guest.
      - V(ping) tells whether the agent answers, and if not, why. It never fails for a silent agent.
      - V(freeze) freezes the file systems and leaves them frozen, until V(thaw) or until O(thaw_after) is over.
      - V(thaw) thaws them. It is no error if they are not frozen.
      - V(frozen_command) freezes, runs O(command) on the host of the module (a storage's own snapshot, for example), and thaws whatever happens.
      - V(trim) tells the guest to discard unused blocks.
      - V(exec) runs O(command) in the guest.
      - V(read) and V(write) read and write the file O(path) in the guest.
      - V(set_password) sets O(password) for O(user).
      - V(shutdown) shuts down by the agent if it answers, else by ACPI, and with O(force_stop=true) switches off what does not follow.
      - V(reboot) stops and starts in the same ways, which also applies waiting changes of the configuration.
    type: str
    choices: [enable, ping, freeze, thaw, frozen_command, trim, exec, read, write, set_password, shutdown, reboot]
    required: true
  command:
    description: The program and its arguments, with O(action=exec) and O(action=frozen_command). No shell is involved.
    type: list
    elements: str
  stdin:
    description: What the program reads, with O(action=exec). At most 64 KiB.
    type: str
  detach:
    description: Do not wait for the program's end, with O(action=exec).
    type: bool
    default: false
  timeout:
    description:
      - With O(action=exec), seconds to wait for the program, 60 if it is not given. After that it goes on in the guest.
      - With O(action=shutdown), O(action=reboot) and O(action=enable), seconds for each rung of the ladder, 180 if it is not given.
    type: int
  path:
    description: The file in the guest.
    type: str
  content:
    description: The file's wanted content, as text.
    type: str
  src:
    description: A file on the host of the module with the wanted content, instead of O(content). May be of any size.
    type: path
  mode:
    description: The file's wanted permissions when it is written, for example V("0600"). Needs a shell in the guest, as do files of more than 45 KiB.
    type: str
  user:
    description: Whose password is set.
    type: str
  password:
    description: The password, or its hash with O(crypted=true).
    type: str
  crypted:
    description: Whether O(password) is a hash as crypt(3) makes it.
    type: bool
    default: false
  thaw_after:
    description: The longest time in seconds that file systems stay frozen. On the guest's own node a timer thaws them then.
    type: int
    default: 60
  force_thaw:
    description: Thaw also while a backup or a snapshot of somebody else holds the guest.
    type: bool
    default: false
  force_stop:
    description: Switch off what does not go down by itself in time.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Run a program in the guest
  baremetal.proxmox.guest_agent:
    vmid: 100
    action: exec
    command: [systemctl, is-system-running, --wait]
  register: result

- name: Write a file
  baremetal.proxmox.guest_agent:
    vmid: 100
    action: write
    path: /etc/motd
    content: "Managed by Ansible\n"

- name: Take a snapshot of the storage while the guest's file systems rest
  baremetal.proxmox.guest_agent:
    vmid: 100
    action: frozen_command
    command: [zfs, snapshot, rpool/data/vm-100-disk-0@before]

- name: Set a password
  baremetal.proxmox.guest_agent:
    vmid: 100
    action: set_password
    user: root
    password: "{{ vault_root_password | password_hash('sha512', vault_salt) }}"
    crypted: true

- name: Shut down, at the latest after five minutes
  baremetal.proxmox.guest_agent:
    name: web1
    action: shutdown
    timeout: 300
    force_stop: true
"""

RETURN = r"""
---
vmid:
  description: The virtual machine's number.
  returned: success
  type: int
  sample: 100
actions:
  description: What was done, or would be in check mode.
  returned: with O(action=enable)
  type: list
  elements: str
  sample: [Set agent to enabled=1.]
available:
  description: Whether the agent answers.
  returned: with O(action=ping)
  type: bool
  sample: false
reason:
  description: As in M(baremetal.proxmox.guest_agent_facts).
  returned: with O(action=ping)
  type: str
  sample: not_listening
detail:
  description: What the reason was recognised by.
  returned: with O(action=ping)
  type: str
  sample: nothing in the guest has opened the port, 5000 s after the start
remedy:
  description: What to do.
  returned: with O(action=ping)
  type: str
  sample: run 'qm start 100' on pve1
rc:
  description: The exit status; 128 and the signal's number for a killed program, null for one that still runs.
  returned: with O(action=exec) and O(action=frozen_command)
  type: int
  sample: 0
signal:
  description: The signal that has killed the program, or null.
  returned: with O(action=exec)
  type: int
  sample: 9
stdout:
  description: What the program wrote.
  returned: with O(action=exec) and O(action=frozen_command)
  type: str
  sample: running
stderr:
  description: What the program wrote to its error output.
  returned: with O(action=exec) and O(action=frozen_command)
  type: str
  sample: ""
stdout_truncated:
  description: Whether the agent has cut off the output, which it does after 16 MiB.
  returned: with O(action=exec)
  type: bool
  sample: false
stderr_truncated:
  description: The same for the error output.
  returned: with O(action=exec)
  type: bool
  sample: false
timed_out:
  description: Whether the program still runs.
  returned: with O(action=exec)
  type: bool
  sample: false
pid:
  description: The process in the guest.
  returned: with O(action=exec)
  type: int
  sample: 243
content:
  description: The file's content in base64.
  returned: with O(action=read)
  type: str
  sample: YWJj
encoding:
  description: Always V(base64).
  returned: with O(action=read)
  type: str
  sample: base64
size:
  description: The file's length in bytes.
  returned: with O(action=read) and O(action=write)
  type: int
  sample: 3
filesystems:
  description: How many file systems were frozen or thawed.
  returned: with O(action=freeze), O(action=thaw) and O(action=frozen_command)
  type: int
  sample: 2
trimmed:
  description: How many bytes were discarded.
  returned: with O(action=trim)
  type: int
  sample: 1048576
paths:
  description: The agent's own report for each file system.
  returned: with O(action=trim)
  type: list
  elements: dict
way:
  description:
    - Which way led to the end, V(agent), V(acpi), V(acpi_after_agent), V(ha), V(reboot) or V(stop).
    - Empty if there was nothing to do.
  returned: with O(action=shutdown) and O(action=reboot)
  type: str
  sample: agent
thawed_leftover:
  description: Whether file systems were thawed that an earlier, killed run has left frozen.
  returned: success
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.action_run import ActionRun, raise_on_signals
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.agent import AgentError
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.facts_run import find_guests
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    open_session,
    session_argument_spec,
)

ACTIONS = "enable ping freeze thaw frozen_command trim exec read write set_password shutdown reboot".split()


def build_module() -> AnsibleModule:
    options = {
        "vmid": {"type": "int"},
        "name": {"type": "str"},
        "node": {"type": "str"},
        "action": {"type": "str", "choices": ACTIONS, "required": True},
        "command": {"type": "list", "elements": "str"},
        "stdin": {"type": "str"},
        "detach": {"type": "bool", "default": False},
        "timeout": {"type": "int"},
        "path": {"type": "str"},
        "content": {"type": "str"},
        "src": {"type": "path"},
        "mode": {"type": "str"},
        "user": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "crypted": {"type": "bool", "default": False},
        "thaw_after": {"type": "int", "default": 60},
        "force_thaw": {"type": "bool", "default": False},
        "force_stop": {"type": "bool", "default": False},
    }
    needs = [
        ("action", "exec", ("command",)),
        ("action", "frozen_command", ("command",)),
        ("action", "read", ("path",)),
        ("action", "write", ("path",)),
        ("action", "write", ("content", "src"), True),
        ("action", "set_password", ("user", "password")),
    ]
    return AnsibleModule(
        argument_spec={**session_argument_spec(), **options},
        required_if=[*SESSION_CONSTRAINTS["required_if"], *needs],
        required_together=SESSION_CONSTRAINTS["required_together"],
        required_one_of=[("vmid", "name")],
        mutually_exclusive=[("vmid", "name"), ("content", "src")],
        supports_check_mode=True,
    )


def main() -> None:
    module = build_module()
    raise_on_signals()
    params = {**module.params, "all": False, "vmids": []}
    try:
        with open_session(params) as session:
            guest = find_guests(session, params)[0]
            result = ActionRun(session, guest, params, module.check_mode).carry_out()
            for warning in session.warnings:
                module.warn(warning)
    except (SessionError, AgentError) as error:
        module.fail_json(msg=str(error))
    result["vmid"] = guest.vmid
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
