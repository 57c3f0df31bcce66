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

from ansible.plugins.action import ActionBase

_OWNER = re.compile(r"^(?P<user>[^@]*)@(?P<host>[^ ]+) process (?P<process>\d+) \((?P<start>\d+)\)$")


class ActionModule(ActionBase):
    """Names this run as the owner, and takes over what a run of this very controller has left that is dead by now."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        arguments.setdefault("owner", owner_of_this_run())
        result.update(self._take(arguments, task_vars))
        if result.get("failed") and is_dead(str(result.get("held_by", ""))):
            # The lease of a run that was killed here. Nobody else can speak for this controller.
            result = self._take({**arguments, "steal": True}, task_vars)
        return {**result, "owner": arguments["owner"]}

    def _take(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        name = "baremetal.proxmox.proxmox_cluster_lock"
        answer: dict[str, Any] = self._execute_module(module_name=name, module_args=arguments, task_vars=task_vars)
        return answer


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
