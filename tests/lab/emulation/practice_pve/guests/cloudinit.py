# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PVE tells a guest by cloud-init, and what of it the guest has not been told yet."""

from __future__ import annotations

import hashlib
import ipaddress
from pathlib import Path
from urllib.parse import unquote

from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.pending import apply_to_view
from practice_pve.guests.tables.machine_parts import IP_CONFIGURATION, NETWORK
from practice_pve.guests.values import HIDDEN
from practice_pve.rest.formats import split_list
from practice_pve.rest.verification import parse_property_string

# What the guest sees only after its drive has been written again.
_PENDING_KEYS = ("cipassword", "ciuser", "nameserver", "searchdomain", "sshkeys", "ciupgrade", "citype")


def dump(config: GuestConfig, guest_id: int, kind: str) -> str:
    """The generated user, network or meta data; custom files are not looked at."""
    values = apply_to_view(config)
    user, network = _user_data(values, guest_id), _network_data(values)
    if kind == "user":
        return user
    if kind == "network":
        return network
    return meta_data(user, network)


def meta_data(user: str, network: str) -> str:
    """A guest takes itself for a new one when this changes."""
    instance = hashlib.sha1((user + network).encode(), usedforsecurity=False).hexdigest()
    return f"instance-id: {instance}\n"


def _user_data(values: dict[str, object], guest_id: int) -> str:
    hostname, fqdn = _names(values, guest_id)
    lines = ["#cloud-config", f"hostname: {hostname}", "manage_etc_hosts: true", f"fqdn: {fqdn}"]
    if values.get("ciuser"):
        lines.append(f"user: {values['ciuser']}")
    if values.get("cipassword"):
        lines.append(f"password: {values['cipassword']}")
    keys = [line.strip() for line in unquote(str(values.get("sshkeys", ""))).split("\n") if line.strip()]
    if keys:
        lines.append("ssh_authorized_keys:")
        lines += [f"  - {key}" for key in keys]
    lines += ["chpasswd:", "  expire: False"]
    if values.get("ciuser") != "root":
        lines += ["users:", "  - default"]
    if values.get("ciupgrade", 1):
        lines.append("package_upgrade: true")
    return "\n".join(lines) + "\n"


def _names(values: dict[str, object], guest_id: int) -> tuple[str, str]:
    name = str(values.get("name", f"VM{guest_id}"))
    hostname, dot, _domain = name.partition(".")
    if dot:
        return hostname, name
    search = split_list(str(values.get("searchdomain", "")))
    return hostname, f"{hostname}.{search[0]}" if search else hostname


def _name_servers(values: dict[str, object]) -> tuple[list[str], list[str]]:
    """Servers and search domains: the machine's own, else the node's."""
    servers = split_list(str(values.get("nameserver", "")))
    search = split_list(str(values.get("searchdomain", "")))
    if servers or search:
        return servers, search
    try:
        lines = Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines()
    except OSError:
        return [], []
    words = [line.split() for line in lines if line.strip()]
    return (
        [parts[1] for parts in words if parts[0] == "nameserver" and len(parts) > 1],
        [parts[1] for parts in words if parts[0] in ("search", "domain") and len(parts) > 1],
    )


def _network_data(values: dict[str, object]) -> str:
    lines = ["version: 1", "config:"]
    for index in range(32):
        if f"net{index}" not in values or f"ipconfig{index}" not in values:
            continue
        card = parse_property_string(NETWORK, str(values[f"net{index}"]))
        address = parse_property_string(IP_CONFIGURATION, str(values[f"ipconfig{index}"]))
        lines += [
            "    - type: physical",
            f"      name: eth{index}",
            f"      mac_address: '{str(card.get('macaddr', '')).lower()}'",
            "      subnets:",
        ]
        lines += _subnet_v4(address) + _subnet_v6(address)
    servers, search = _name_servers(values)
    if servers or search:
        lines.append("    - type: nameserver")
        if servers:
            lines.append("      address:")
            lines += [f"      - '{server}'" for server in servers]
        if search:
            lines.append("      search:")
            lines += [f"      - '{domain}'" for domain in search]
    return "\n".join(lines) + "\n"


def _subnet_v4(address: dict) -> list[str]:
    value = address.get("ip")
    if not value:
        return []
    if value == "dhcp":
        return ["      - type: dhcp4"]
    network = ipaddress.ip_interface(value)
    lines = ["      - type: static", f"        address: '{network.ip}'", f"        netmask: '{network.netmask}'"]
    return lines + ([f"        gateway: '{address['gw']}'"] if address.get("gw") else [])


def _subnet_v6(address: dict) -> list[str]:
    value = address.get("ip6")
    if not value:
        return []
    if value == "dhcp":
        return ["      - type: dhcp6"]
    if value == "auto":
        return ["      - type: ipv6_slaac"]
    lines = ["      - type: static6", f"        address: '{value}'"]
    return lines + ([f"        gateway: '{address['gw6']}'"] if address.get("gw6") else [])


def pending_view(config: GuestConfig) -> list[dict]:
    """Key by key what the drive says and what the next one will say."""
    told = config.special.get("cloudinit", {})
    added = set(filter(None, str(told.get("added", "")).split(",")))
    entries = []
    keys = [*_PENDING_KEYS, *(f"ipconfig{index}" for index in range(32))]
    for key in keys:
        value, old = config.values.get(key), told.get(key)
        # addresses only show up while they differ
        if key.startswith("ipconfig") and old is None and key not in added:
            continue
        if value is None and old is None:
            continue
        entry: dict = {"key": key}
        if old is not None:
            entry["value"] = old
            if value is None:
                entry["delete"] = 1
            else:
                entry["pending"] = value
        elif key in added:
            entry["pending"] = value
        else:
            entry["value"] = value
        if key == "cipassword":
            entry.update({name: HIDDEN for name in ("value", "pending") if name in entry})
        entries.append(entry)
    return entries
