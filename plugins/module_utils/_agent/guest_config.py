# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a guest's configuration that the agent has to do with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .parse import normalize_mac

_MAC = re.compile(r"(?:^|[,=])([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})(?=,|$)")
_NET = re.compile(r"net(\d+)")
_IPCONFIG = re.compile(r"ipconfig(\d+)")


@dataclass(frozen=True)
class AgentOption:
    """The C(agent) line. Proxmox VE keeps the text as it was written: C(1), C(enabled=1), C(0), C(enabled=0,type=isa)."""

    present: bool
    enabled: bool
    type: str = "virtio"
    text: str = ""


def parse_agent_option(text: Any) -> AgentOption:
    if text is None or str(text).strip() == "":
        return AgentOption(present=False, enabled=False)
    properties = {}
    for part in str(text).split(","):
        name, equals, value = part.strip().partition("=")
        properties[name if equals else "enabled"] = value if equals else name
    enabled = properties.get("enabled", "0").lower() in ("1", "on", "yes", "true")
    return AgentOption(present=True, enabled=enabled, type=properties.get("type", "virtio"), text=str(text))


@dataclass(frozen=True)
class GuestConfig:
    running: AgentOption  # what the virtual machine was started with
    planned: AgentOption  # what it will be started with the next time
    macs: tuple[str, ...]
    name: str
    addresses: tuple[str, ...] = ()  # what cloud-init is told to give the guest, without what DHCP or the router decide


def read_pending(rows: Sequence[Mapping[str, Any]]) -> GuestConfig:
    """Read C(/nodes/N/qemu/ID/pending): per key the value that runs and, where it differs, the one that waits."""
    running = {str(row.get("key")): row.get("value") for row in rows}
    agent = next((row for row in rows if row.get("key") == "agent"), {})
    now = parse_agent_option(agent.get("value"))
    if agent.get("delete"):
        planned = parse_agent_option(None)
    else:
        planned = parse_agent_option(agent["pending"]) if agent.get("pending") is not None else now
    name = str(running.get("name") or "")
    return GuestConfig(now, planned, read_macs(running), name, read_static_addresses(running))


def read_static_addresses(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses in ipconfig0, ipconfig1 ... in the order of their numbers, IPv4 before IPv6."""
    found = []
    for key, value in config.items():
        number = _IPCONFIG.fullmatch(str(key))
        for part in str(value).split(",") if number else ():
            name, _equals, text = part.strip().partition("=")
            address = text.partition("/")[0]
            if number and name in ("ip", "ip6") and address not in ("dhcp", "auto", "manual", ""):
                found.append((int(number[1]), name, address))
    return tuple(address for _number, _name, address in sorted(found))


def read_macs(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The MACs of net0, net1 ... in the order of their numbers."""
    found = []
    for key, value in config.items():
        number = _NET.fullmatch(str(key))
        mac = _MAC.search(str(value)) if number else None
        if number and mac:
            found.append((int(number[1]), normalize_mac(mac[1])))
    return tuple(mac for _number, mac in sorted(found))
