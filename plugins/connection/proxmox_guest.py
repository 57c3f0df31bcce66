# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tasks in a guest that no network leads to."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: proxmox_guest
short_description: Run tasks in a virtual machine through its guest agent
version_added: 0.1.0
description:
  - Runs commands and moves files through the QEMU guest agent of a virtual machine, by way of a node over SSH or of the API. The guest needs neither a
    network nor an SSH daemon nor a login.
  - One helper runs on the node for the time of a task, and leaves nothing there.
  - What runs, runs as the agent does, which is root. Becoming another user works where that needs no password.
  - It is for guests with a shell, C(base64) and C(stat), which is every usual Linux, Alpine included. Output beyond 16 MiB is cut off by the agent; the
    task fails then.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._session
options:
  vmid:
    description: The number of the virtual machine.
    type: int
    vars:
      - name: proxmox_vmid
  guest_name:
    description: The name of the virtual machine, if its number is not given. It must be the only one of that name.
    type: str
    vars:
      - name: proxmox_name
      - name: inventory_hostname
  remote_user:
    description: Whom the agent runs as.
    type: str
    default: root
  exec_timeout:
    description: Seconds to wait for one command.
    type: int
    default: 3600
    vars:
      - name: proxmox_guest_exec_timeout
    env:
      - name: PROXMOX_GUEST_EXEC_TIMEOUT
  transport:
    description:
      - V(ssh) goes by a helper on a node.
      - V(api) means HTTPS, with the options whose names begin with C(api_).
      - V(local) is for a controller that is a node itself.
    type: str
    choices: [ssh, api, local]
    default: ssh
    vars:
      - name: proxmox_transport
    env:
      - name: PROXMOX_TRANSPORT
  api_host:
    vars:
      - name: proxmox_api_host
    env:
      - name: PROXMOX_HOST
  api_port:
    vars:
      - name: proxmox_api_port
    env:
      - name: PROXMOX_PORT
  api_user:
    vars:
      - name: proxmox_api_user
    env:
      - name: PROXMOX_USER
  api_password:
    vars:
      - name: proxmox_api_password
    env:
      - name: PROXMOX_PASSWORD
  api_token_id:
    vars:
      - name: proxmox_api_token_id
    env:
      - name: PROXMOX_TOKEN_ID
  api_token_secret:
    vars:
      - name: proxmox_api_token_secret
    env:
      - name: PROXMOX_TOKEN_SECRET
  validate_certs:
    vars:
      - name: proxmox_validate_certs
    env:
      - name: PROXMOX_VALIDATE_CERTS
  api_ca_path:
    vars:
      - name: proxmox_api_ca_path
    env:
      - name: PROXMOX_CA_PATH
  api_fingerprint:
    vars:
      - name: proxmox_api_fingerprint
    env:
      - name: PROXMOX_FINGERPRINT
  api_timeout:
    vars:
      - name: proxmox_api_timeout
    env:
      - name: PROXMOX_TIMEOUT
  nodes:
    description: Addresses of nodes for O(transport=ssh). The first one that can be reached is used. The inventory plugin gives them to each host.
    type: list
    elements: str
    default: []
    vars:
      - name: proxmox_nodes
    env:
      - name: PROXMOX_NODES
  ssh_user:
    description: Who logs in to the node.
    type: str
    default: root
    vars:
      - name: proxmox_ssh_user
  ssh_become:
    description: Whether O(ssh_user) becomes root on the node by sudo, without a password.
    type: bool
    default: false
    vars:
      - name: proxmox_ssh_become
  ssh_port:
    description: The node's SSH port.
    type: int
    vars:
      - name: proxmox_ssh_port
  ssh_private_key_file:
    description: The private key for the node. If it is not given, ssh chooses.
    type: path
    vars:
      - name: proxmox_ssh_private_key_file
    env:
      - name: ANSIBLE_PRIVATE_KEY_FILE
    ini:
      - section: defaults
        key: private_key_file
  ssh_args:
    description: Further arguments of ssh. Those for a shared connection make many tasks quicker.
    type: str
    default: -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=~/.ansible/cp/guest-%C
    vars:
      - name: proxmox_ssh_args
    env:
      - name: ANSIBLE_SSH_ARGS
    ini:
      - section: ssh_connection
        key: ssh_args
  ssh_host_keys:
    description: The nodes' public host keys. If given, no other is accepted; else they must be in the known hosts.
    type: list
    elements: str
    default: []
    vars:
      - name: proxmox_ssh_host_keys
  host_key_checking:
    description: Whether the nodes' host keys are checked.
    type: bool
    default: true
    env:
      - name: ANSIBLE_HOST_KEY_CHECKING
    ini:
      - section: defaults
        key: host_key_checking
"""

EXAMPLES = r"""
# In a group of hosts that the inventory plugin has found:
#   ansible_connection: baremetal.proxmox.proxmox_guest
- name: Repair a network that is down
  hosts: broken
  vars:
    ansible_connection: baremetal.proxmox.proxmox_guest
  tasks:
    - name: Restart it
      ansible.builtin.systemd_service:
        name: systemd-networkd
        state: restarted
"""

import base64
import os
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.agent import INPUT_LIMIT
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.files import PIECE, WRITE_LIMIT
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.opening import open_session
from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.access import NodeAccess, read_access
from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.channel import (
    Helper,
    HelperError,
    HelperHere,
    open_first,
)

display = Display()
# A service of the guest has no home; what the shell and Ansible make of ~ depends on one.
_SURROUNDINGS = 'export HOME="${HOME:-/root}"; '
_WITH_INPUT = 'sh -c "$1" < "$2"; code=$?; rm -f "$2"; exit $code'


class Connection(ConnectionBase):
    """One guest, through one helper."""

    transport = "baremetal.proxmox.proxmox_guest"
    # A whole module is more than the agent takes as input: files are the better way.
    has_pipelining = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._helper: Helper | None = None
        self._place = ""

    def _connect(self) -> Connection:
        if self._connected:
            return self
        try:
            if self.get_option("transport") == "ssh":
                self._helper = open_first(self._nodes())
            else:
                self._helper = HelperHere(open_session(self.get_options()))
            vmid = self.get_option("vmid")
            opened = self._helper.ask("open", vmid=vmid, name=None if vmid else self.get_option("guest_name"))
        except (HelperError, SessionError) as error:
            self.close()
            raise AnsibleConnectionFailure(str(error)) from error
        self._place = f"{opened['vmid']} on {opened['node']}"
        self._connected = True
        return self

    def _nodes(self) -> list[NodeAccess]:
        if not self.get_option("nodes"):
            raise AnsibleError(
                "transport ssh needs the address of at least one node, for example in the variable proxmox_nodes"
            )
        os.makedirs(os.path.expanduser("~/.ansible/cp"), mode=0o700, exist_ok=True)
        return [read_access(node, self.get_option) for node in self.get_option("nodes")]

    def _ask(self, request: str, **arguments: Any) -> Any:
        self._connect()
        if self._helper is None:
            raise AssertionError
        try:
            return self._helper.ask(request, **arguments)
        except HelperError as error:
            raise AnsibleConnectionFailure(str(error)) from error

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:  # noqa: ARG002
        display.vvv(f"EXEC {cmd}", host=self._place)
        argv = ["/bin/sh", "-c", _SURROUNDINGS + cmd]
        stdin = None if in_data is None else base64.b64encode(in_data).decode()
        if in_data is not None and len(in_data) > INPUT_LIMIT:
            path = f"/tmp/.ansible-input-{os.getpid()}-{os.urandom(8).hex()}"
            self._put(in_data, path, mode="0600")
            argv, stdin = ["/bin/sh", "-c", _SURROUNDINGS + _WITH_INPUT, "sh", cmd, path], None
        limit = self.get_option("exec_timeout")
        done = self._ask("run", argv=argv, stdin=stdin, timeout=limit)
        if done["timed_out"]:
            raise AnsibleConnectionFailure(
                f"the command did not end within {limit} s; it goes on in the guest as process {done['pid']}"
            )
        if done["truncated"]:
            raise AnsibleError("the guest agent has cut off the command's output: it was more than 16 MiB")
        return int(done["status"]), base64.b64decode(done["stdout"]), base64.b64decode(done["stderr"])

    def put_file(self, in_path: str, out_path: str) -> None:
        display.vvv(f"PUT {in_path} TO {out_path}", host=self._place)
        try:
            with open(in_path, "rb") as stream:
                content = stream.read()
        except FileNotFoundError as error:
            raise AnsibleFileNotFound(f"there is no {in_path} to put into the guest") from error
        self._put(content, out_path)

    def _put(self, content: bytes, path: str, mode: str = "") -> None:
        if len(content) <= WRITE_LIMIT and not mode:
            self._ask("write_small_file", path=path, content=base64.b64encode(content).decode())
            return
        self._ask("begin_file", path=path)
        for start in range(0, len(content), PIECE):
            self._ask("add_to_file", content=base64.b64encode(content[start : start + PIECE]).decode())
        self._ask("end_file", mode=mode)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        display.vvv(f"FETCH {in_path} TO {out_path}", host=self._place)
        content = self._ask("read_file", path=in_path)
        if content is None:
            raise AnsibleFileNotFound(f"there is no {in_path} in the guest")
        with open(out_path, "wb") as stream:
            stream.write(base64.b64decode(content))

    def reset(self) -> None:
        self.close()
        self._connect()

    def close(self) -> None:
        if self._helper is not None:
            self._helper.close()
            self._helper = None
        self._connected = False
