# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces: /etc/network/interfaces, with what the kernel says of them."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

INTERFACES_FILE = Path("/etc/network/interfaces")
KEPT_OPTIONS = {
    "address", "netmask", "gateway", "bridge-ports", "bridge-stp", "bridge-fd", "bridge-vlan-aware", "mtu",
    "bond-slaves", "bond-mode", "bond-miimon",
}  # fmt: skip


def interfaces() -> dict[str, dict[str, Any]]:
    """Return name -> settings as PVE's API names them."""
    found = read_file()
    # not from /sys: a container may see the host's interfaces there
    present = {name for _index, name in socket.if_nameindex()}
    for name in sorted(present):
        if name.startswith(("en", "eth")):
            found.setdefault(name, {"method": "manual"})
    found.pop("lo", None)
    return {
        name: complete(name, config, position, active=name in present)
        for position, (name, config) in enumerate(found.items(), 3)
    }


def read_file() -> dict[str, dict[str, Any]]:
    """Return the stanzas of the file."""
    try:
        lines = INTERFACES_FILE.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, dict[str, Any]] = {}
    current: dict[str, Any] | None = None
    automatic: set[str] = set()
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("auto", "allow-auto"):
            automatic |= set(words[1:])
        elif words[0] == "iface" and len(words) >= 4:
            current = found.setdefault(words[1], {})
            current["method" if words[2] == "inet" else "method6"] = words[3]
        elif current is not None and words[0].replace("_", "-") in KEPT_OPTIONS:
            current[words[0].replace("_", "-")] = " ".join(words[1:])
    for name in automatic & set(found):
        found[name]["autostart"] = 1
    return found


def complete(name: str, config: dict[str, Any], priority: int, *, active: bool) -> dict[str, Any]:
    """Return one interface as the API shows it."""
    kind = "bridge" if "bridge-ports" in config else "bond" if "bond-slaves" in config else "eth"
    if kind == "eth" and "." in name:
        kind = "vlan"
    result: dict[str, Any] = {
        "type": kind, "method": config.get("method", "manual"), "method6": config.get("method6", "manual"),
        "families": ["inet"], "priority": priority,
    }  # fmt: skip
    if active:
        result["active"] = 1
    if config.get("autostart"):
        result["autostart"] = 1
    if "address" in config:
        result |= address_parts(config["address"], config.get("netmask"))
    for option in ("gateway", "bridge-ports", "bridge-stp", "bridge-fd", "mtu", "bond-slaves", "bond-mode"):
        if option in config:
            result[option.replace("-", "_") if option.startswith("bridge") else option] = config[option]
    return result


def address_parts(address: str, netmask: str | None) -> dict[str, str]:
    """Return address, netmask (as a length) and cidr."""
    text = address if "/" in address or not netmask else f"{address}/{netmask}"
    interface = ipaddress.ip_interface(text)
    length = str(interface.network.prefixlen)
    return {"address": str(interface.ip), "netmask": length, "cidr": f"{interface.ip}/{length}"}
