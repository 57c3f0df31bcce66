# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/agent: the agent's commands that take no parameters."""

from __future__ import annotations

from practice_pve.api.qemu import GUEST
from practice_pve.guests import agent
from practice_pve.guests.store import QEMU
from practice_pve.rest import AnyUser, Call, Check, api_method
from practice_pve.rest.parameters import Text

_READING = (
    "get-fsinfo", "get-host-name", "get-memory-block-info", "get-memory-blocks", "get-osinfo", "get-time", "get-timezone",
    "get-users", "get-vcpus", "info", "network-get-interfaces",
)  # fmt: skip
_FILE_SYSTEMS = ("fsfreeze-freeze", "fsfreeze-thaw", "fstrim")
_POWER = ("shutdown", "suspend-disk", "suspend-hybrid", "suspend-ram")
COMMANDS = tuple(sorted((*_READING, "ping", "fsfreeze-status", *_FILE_SYSTEMS, *_POWER)))
_WITH_PARAMETERS = ("exec", "exec-status", "file-read", "file-write", "set-user-password")


def allowed_to(*privileges: str) -> Check:
    """Who may: everyone with one of the privileges, or with the one for everything."""
    return Check("perm", "/vms/{vmid}", [*privileges, "VM.GuestAgent.Unrestricted"], "any", 1)


def _run(call: Call, command: str) -> dict:
    guest_id = call.params["vmid"]
    QEMU.load(guest_id)
    agent.assert_available(guest_id)
    # what the agent itself refuses is a result, not an error
    return {"result": agent.ask(guest_id, f"guest-{command}")}


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/agent", parameters=GUEST, permissions=AnyUser(), proxyto="node", child_link="name"
)
def list_commands(_call: Call) -> list[dict]:
    """The sub-directories."""
    return [{"name": name} for name in sorted((*COMMANDS, *_WITH_PARAMETERS))]


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/agent", permissions=allowed_to(), protected=True, proxyto="node",
    parameters={**GUEST, "command": Text(enum=COMMANDS)},
)  # fmt: skip
def run_command(call: Call) -> dict:
    """Any command by its name, as `qm guest cmd` does."""
    return _run(call, call.params["command"])


def _register(command: str, http_method: str, permissions: Check) -> None:
    @api_method(
        http_method, f"/nodes/{{node}}/qemu/{{vmid}}/agent/{command}", parameters=GUEST, permissions=permissions,
        protected=True, proxyto="node",
    )  # fmt: skip
    def method(call: Call) -> dict:
        return _run(call, command)


for _command in _READING:
    _register(_command, "GET", allowed_to("VM.GuestAgent.Audit"))
for _command in _FILE_SYSTEMS:
    _register(_command, "POST", allowed_to("VM.GuestAgent.FileSystemMgmt"))
for _command in _POWER:
    _register(_command, "POST", allowed_to("VM.PowerMgmt"))
_register("ping", "POST", allowed_to("VM.GuestAgent.Audit"))
_register("fsfreeze-status", "POST", allowed_to("VM.GuestAgent.Audit", "VM.GuestAgent.FileSystemMgmt"))
