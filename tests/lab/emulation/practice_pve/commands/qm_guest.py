# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""qm guest: what the agent in a virtual machine is asked for."""

from __future__ import annotations

import sys
from typing import Any

from practice_pve import settings
from practice_pve.commands.password_prompt import ask_twice
from practice_pve.guests import agent_programs
from practice_pve.guests.store import QEMU
from practice_pve.rest import ApiError, Call, ParameterErrors
from practice_pve.rest.command_line import Command
from practice_pve.rest.json_text import to_json_pretty
from practice_pve.rest.parameters import EXTRA_ARGS, VMID, Boolean, Integer

_NODE = {"node": settings.nodename}
_PATH = "/nodes/{node}/qemu/{vmid}/agent"
_GROUP = "PVE::API2::Qemu::Agent"
_MOST_INPUT = 1024 * 1024


def print_agent_result(data: Any, _method: Any, _options: dict) -> None:
    """Text as it is, anything else as JSON; nothing for an empty answer."""
    result = data.get("result", data) if isinstance(data, dict) else data
    if result is None or result == {}:
        return
    if isinstance(result, (dict, list)):
        print(to_json_pretty(result))
    elif str(result).strip():
        print(str(result).rstrip("\n"))


def execute(call: Call) -> dict:
    """`qm guest exec`: run a program and wait for its end."""
    guest_id, synchronous = call.params["vmid"], call.params.get("synchronous", 1)
    if "timeout" in call.params and not synchronous:
        raise ParameterErrors({"synchronous": "needs to be set for 'timeout'"})
    given = None
    if call.params.get("pass-stdin"):
        given = sys.stdin.buffer.read(_MOST_INPUT + 1)
        if len(given) > _MOST_INPUT:
            raise ApiError("'input-data' (STDIN) is limited to 1 MiB, aborting")
    QEMU.load(guest_id)
    started = agent_programs.execute(guest_id, list(call.params.get("extra-args") or []), given)
    return agent_programs.wait_for(guest_id, started, call.params.get("timeout", 30)) if synchronous else started


def _api(http_method: str, path: str, *arguments: str, **more: Any) -> Command:
    return Command(http_method, _PATH + path, arguments=arguments, fixed=_NODE, group=_GROUP, **more)


COMMANDS: dict[str, Any] = {
    "cmd": _api("POST", "", "vmid", "command", output=print_agent_result),
    "passwd": _api("POST", "/set-user-password", "vmid", "username", interactive={"password": ask_twice}),
    "exec": Command(
        function=execute, arguments=("vmid", "extra-args"), output=print_agent_result, group="PVE::CLI::qm",
        parameters={
            "vmid": VMID,
            "synchronous": Boolean(optional=True, default=1),
            "timeout": Integer(optional=True, minimum=0, default=30),
            "pass-stdin": Boolean(optional=True, default=0),
            "extra-args": EXTRA_ARGS,
        },
    ),
    "exec-status": _api("GET", "/exec-status", "vmid", "pid", output=print_agent_result),
}  # fmt: skip
