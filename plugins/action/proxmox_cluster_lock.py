# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_cluster_lock): who "we" are, and whether the holder is still alive."""

from __future__ import annotations

import getpass
import os
import re
import socket
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import set_lease
from ansible_collections.baremetal.proxmox.plugins.modules.proxmox_cluster_lock import ARGUMENT_SPEC
from ansible_collections.baremetal.proxmox.plugins.plugin_utils.node_action import NodeAction

_OWNER = re.compile(r"^(?P<user>[^@]*)@(?P<host>[^ ]+) process (?P<process>\d+) \((?P<start>\d+)\)$")


class ActionModule(NodeAction):
    """Names this run as the owner, and takes over what a run of this very controller has left that is dead by now."""

    argument_spec = ARGUMENT_SPEC
    work = set_lease

    def call_node(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        arguments.setdefault("owner", owner_of_this_run())
        result = super().call_node(arguments, task_vars)
        if result.get("failed") and is_dead(str(result.get("held_by", ""))):
            # The lease of a run that was killed here. Nobody else can speak for this controller.
            result = super().call_node({**arguments, "steal": True}, task_vars)
        return {**result, "owner": arguments["owner"]}


def owner_of_this_run() -> str:
    """The run is the process of ansible-playbook; each task runs in a child of it."""
    process = os.getppid()
    user = _user()
    return f"{user}@{socket.gethostname()} process {process} ({start_of(process)})"


def start_of(process: int) -> int:
    """The start time of a process, which tells it from a later one of the same number; 0 if there is none."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except OSError:
        return 0


def is_dead(owner: str) -> bool:
    """Whether the owner is a run of this controller that has ended. Of another controller nothing is known."""
    match = _OWNER.match(owner)
    if match is None or match["host"] != socket.gethostname():
        return False
    return start_of(int(match["process"])) != int(match["start"])


def _user() -> str:
    """The name of the user, or the number where no account has it (as in many containers)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
