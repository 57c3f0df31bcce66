# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a guest without an answering agent may be found: what cloud-init was told, and whom its node has spoken to."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: Neighbours in these states have answered once; FAILED and INCOMPLETE have not.
_KNOWN = {"REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"}
Neighbours = Mapping[str, str]  # MAC -> address


def read_neighbours(text: str) -> dict[str, str]:
    """Read C(ip -json neigh). IPv4 wins over IPv6, and link-local addresses are left out."""
    try:
        rows = json.loads(text or "[]")
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for row in rows:
        mac, address = str(row.get("lladdr", "")).lower(), str(row.get("dst", ""))
        if not mac or not _KNOWN.intersection(row.get("state") or []):
            continue
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            continue
        if not parsed.is_link_local and (parsed.version == 4 or mac not in found):
            found[mac] = address
    return found


def neighbours_of(node: str, own: str | None, addresses: Mapping[str, str]) -> dict[str, str]:
    """The neighbour table of a node of the cluster, over Proxmox VE's own SSH where it is not this one."""
    command = ["ip", "-json", "neigh"]
    if node != own:
        if node not in addresses:
            return {}
        command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", f"HostKeyAlias={node}"]
        known_hosts = f"/etc/pve/nodes/{node}/ssh_known_hosts"
        if os.path.isfile(known_hosts):
            command += ["-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=none"]
        command += [f"root@{addresses[node]}", "ip -json neigh"]
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return read_neighbours(done.stdout)


def find_address(guest: Mapping[str, Any], family: str, neighbours: Callable[[], Neighbours]) -> tuple[str | None, str]:
    """The address to reach a guest by, and where it was found: agent, ipconfig, neighbours or nowhere (empty)."""
    wanted = ("primary_ipv4", "primary_ipv6") if family != "ipv6" else ("primary_ipv6", "primary_ipv4")
    told = next((guest[key] for key in wanted if guest.get(key)), None)
    if told:
        return str(told), "agent"
    configured = _prefer(guest.get("configured_addresses") or (), family)
    if configured:
        return configured, "ipconfig"
    table = neighbours()
    seen = _prefer([table[mac] for mac in guest.get("macs") or () if mac in table], family)
    return (seen, "neighbours") if seen else (None, "")


def _prefer(addresses: Iterable[str], family: str) -> str | None:
    ordered = sorted(addresses, key=lambda address: (":" in address) != (family == "ipv6"))
    return ordered[0] if ordered else None
