# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/agent: all the ways in which an agent does not answer; answers need a real guest."""

from __future__ import annotations

from practice_pve.api.qemu import GUEST
from practice_pve.guests import machine
from practice_pve.guests.store import QEMU
from practice_pve.guests.tables.machine_parts import AGENT
from practice_pve.rest import ApiError, Call, Check, NotEmulated, api_method
from practice_pve.rest.parameters import Array, Integer, Text
from practice_pve.rest.verification import parse_property_string

_READING = (
    "fsfreeze-status", "get-fsinfo", "get-host-name", "get-memory-block-info", "get-memory-blocks", "get-osinfo", "get-time",
    "get-timezone", "get-users", "get-vcpus", "info", "network-get-interfaces", "ping",
)  # fmt: skip
_WRITING = ("fsfreeze-freeze", "fsfreeze-thaw", "fstrim", "shutdown", "suspend-disk", "suspend-hybrid", "suspend-ram")
COMMANDS = tuple(sorted(_READING + _WRITING))
_AUDIT = Check("perm", "/vms/{vmid}", ["VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"], "any", 1)
_UNRESTRICTED = Check("perm", "/vms/{vmid}", ["VM.GuestAgent.Unrestricted"])


def ask(call: Call, command: str) -> dict:
    """Refuse as PVE does; a guest that would answer is beyond this emulation."""
    guest_id = call.params["vmid"]
    config = QEMU.load(guest_id)
    if "agent" not in config.values:
        raise ApiError("No QEMU guest agent configured")
    if not machine.is_running(guest_id):
        raise ApiError(f"VM {guest_id} is not running", exit_code=2)
    enabled = parse_property_string(AGENT, str(config.values["agent"])).get("enabled")
    if not enabled or not machine.agent_answers(guest_id):
        raise ApiError("QEMU guest agent is not running")
    if command == "ping":
        return {"result": {}}
    raise NotEmulated(f"guest agent command {command}")


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/agent", permissions=_UNRESTRICTED, protected=True, proxyto="node",
    parameters={**GUEST, "command": Text(enum=COMMANDS)},
)  # fmt: skip
def run_command(call: Call) -> dict:
    """Any command by its name, as `qm guest cmd` does."""
    return ask(call, call.params["command"])


def _register(http_method: str, command: str) -> None:
    @api_method(
        http_method, f"/nodes/{{node}}/qemu/{{vmid}}/agent/{command}", parameters=GUEST, permissions=_AUDIT,
        protected=True, proxyto="node",
    )  # fmt: skip
    def method(call: Call) -> dict:
        return ask(call, command)


for _command in COMMANDS:
    _register("GET" if _command in _READING and _command not in ("ping", "fsfreeze-status") else "POST", _command)


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/agent/exec", permissions=_UNRESTRICTED, protected=True, proxyto="node",
    parameters={**GUEST, "command": Array(items=Text()), "input-data": Text(optional=True, max_length=1024 * 1024)},
)  # fmt: skip
def execute(call: Call) -> dict:
    """Run a program in the guest."""
    return ask(call, "exec")


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/agent/exec-status", permissions=_UNRESTRICTED, protected=True, proxyto="node",
    parameters={**GUEST, "pid": Integer()},
)  # fmt: skip
def read_exec_status(call: Call) -> dict:
    """How a program ended."""
    return ask(call, "exec-status")
