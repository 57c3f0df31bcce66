# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent for machines that only sleep: silent as long as the node's settings do not say `guests_have_agent`.

It answers what a look at many guests asks for, from the machine's configuration. The serial number in smbios1 makes single
ones silent, as in the tiny guest: agentoff, agenthung.
"""

from __future__ import annotations

import ipaddress
import time

from practice_pve import settings
from practice_pve.guests import agent_socket
from practice_pve.guests.qemu_command import cards_of
from practice_pve.guests.store import QEMU
from practice_pve.guests.tables.machine_parts import IP_CONFIGURATION, SMBIOS
from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import parse_property_string

_RELEASE = "6.12.0"
_COMMANDS = (
    "ping",
    "info",
    "get-host-name",
    "get-osinfo",
    "get-users",
    "get-time",
    "fsfreeze-status",
    "network-get-interfaces",
)


def ask(guest_id: int, command: str, timeout: float | None) -> object:
    """The answer, or silence for as long as one would wait."""
    if not agent_socket.path_of(guest_id).exists():
        raise ApiError("unable to open monitor socket")
    values = QEMU.load(guest_id).values
    if is_hung(values) or not is_listening(values):
        time.sleep(timeout or agent_socket.DEFAULT_SECONDS)
        raise ApiError(f"VM {guest_id} qga command '{command}' failed - got timeout")
    name = command.removeprefix("guest-")
    if name not in _COMMANDS:
        return {"error": {"class": "CommandNotFound", "desc": f"The command {command} has not been found"}}
    return _answer(name, str(values.get("name", f"VM{guest_id}")), values)


def is_listening(values: dict[str, object]) -> bool:
    """Whether a program in the guest has opened the port."""
    return bool(settings.get("guests_have_agent", False)) and _behaviour(values) != "agentoff"


def is_hung(values: dict[str, object]) -> bool:
    """Whether that program never answers."""
    return _behaviour(values) == "agenthung"


def _behaviour(values: dict[str, object]) -> str:
    table = values.get("smbios1")
    return str(parse_property_string(SMBIOS, str(table)).get("serial", "")) if table else ""


def _answer(name: str, host_name: str, values: dict[str, object]) -> object:
    commands = [{"name": f"guest-{known}", "enabled": True, "success-response": True} for known in _COMMANDS]
    return {
        "ping": {},
        "info": {"version": "10.0.13", "supported_commands": commands},
        "get-host-name": {"host-name": host_name},
        "get-osinfo": {
            "id": "practice",
            "name": "Practice",
            "pretty-name": "Practice 1",
            "kernel-release": _RELEASE,
            "machine": "x86_64",
        },
        "get-users": [],
        "get-time": time.time_ns(),
        "fsfreeze-status": "thawed",
        "network-get-interfaces": _interfaces(values),
    }[name]


def _interfaces(values: dict[str, object]) -> list[dict]:
    found = [_interface("lo", "00:00:00:00:00:00", ["127.0.0.1/8", "::1/128"])]
    for number, card in cards_of(values).items():
        configured = parse_property_string(IP_CONFIGURATION, str(values.get(f"ipconfig{number}", "")))
        addresses = [str(configured[key]) for key in ("ip", "ip6") if "/" in str(configured.get(key, ""))]
        found.append(_interface(f"eth{number}", str(card["macaddr"]).lower(), addresses))
    return found


def _interface(name: str, hardware_address: str, addresses: list[str]) -> dict:
    entries = [ipaddress.ip_interface(address) for address in addresses]
    return {
        "name": name,
        "hardware-address": hardware_address,
        "ip-addresses": [
            {"ip-address": str(entry.ip), "ip-address-type": f"ipv{entry.version}", "prefix": entry.network.prefixlen}
            for entry in entries
        ],
    }
