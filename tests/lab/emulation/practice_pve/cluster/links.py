# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links given as parameters (link0=ADDRESS,priority=N) and the names that a link address resolves to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from typing import Any

from practice_pve.cluster.corosync_config import MAX_LINK_INDEX, CorosyncConfig, link_numbers

Link = dict[str, Any]
Resolver = Callable[[str], list[str]]


def extract_links(parameters: Mapping[str, Any]) -> dict[int, Link]:
    """The given link parameters by number; verification has already looked at their syntax."""
    links: dict[int, Link] = {}
    for number in range(MAX_LINK_INDEX + 1):
        value = parameters.get(f"link{number}")
        if value:
            links[number] = dict(value) if isinstance(value, Mapping) else parse_link(str(value))
    return links


def parse_link(value: str) -> Link:
    link: Link = {}
    for part in value.split(","):
        key, separator, rest = part.partition("=")
        if not separator:
            key, rest = "address", part
        link[key.strip()] = int(rest) if key.strip() == "priority" else rest.strip()
    return link


def format_link(link: Link) -> str:
    """Back to a property string: the address without its key, then the priority."""
    priority = link.get("priority")
    return str(link["address"]) + ("" if priority is None else f",priority={priority}")


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def resolve_all(name: str) -> list[str]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return [str(answer[4][0]) for answer in answers]


def resolve_like_corosync(name: str, ip_version: str | None, resolver: Resolver = resolve_all) -> str | None:
    """Corosync picks the family by totem.ip_version, not by the order of the answers."""
    if is_address(name):
        return name
    addresses = [ipaddress.ip_address(address.split("%")[0]) for address in resolver(name)]
    by_family = {family: next((str(a) for a in addresses if a.version == family), None) for family in (4, 6)}
    order = {"ipv4": (4,), "ipv6": (6,), "ipv6-4": (6, 4), "ipv4-6": (4, 6)}.get((ip_version or "ipv6-4").lower(), ())
    return next((address for family in order if (address := by_family[family])), None)


def verify_config(config: CorosyncConfig, resolver: Resolver = resolve_all) -> tuple[list[str], list[str]]:
    """PVE's check of a cluster configuration: (errors, warnings)."""
    nodes = config.nodes
    if nodes is None:
        return ["no nodes found"], []
    totem = config.totem
    if totem is None:
        return ["no totem found"], []
    errors: list[str] = []
    warnings: list[str] = []
    if totem.get("secauth") != "on" and totem.get("crypto_cipher", "none") == "none":
        warnings.append(
            "warning: authentication/encryption is not explicitly enabled (secauth / crypto_cipher / crypto_hash)"
        )
    links = {name: link_numbers(node) for name, node in sorted(nodes.items())}
    interfaces = config.interfaces
    for number in (str(number) for number in range(MAX_LINK_INDEX + 1)):
        used = any(number in of_node for of_node in links.values())
        for name, of_node in links.items():
            key = f"ring{number}_addr"
            if number in of_node:
                warnings.extend(_address_warning(key, of_node[number], name, totem.get("ip_version"), resolver))
                if interfaces and number not in interfaces:
                    errors.append(f"node '{name}' has '{key}', but there is no interface number {number} configured")
            elif interfaces and number in interfaces:
                # The missing blank is in the original text.
                errors.append(f"node '{name}' is missing address forinterface number {number}")
            elif not interfaces and used:
                errors.append(f"node '{name}' is missing link {number}, which is configured on other nodes")
    return errors, warnings


def _address_warning(key: str, address: str, node: str, ip_version: str | None, resolver: Resolver) -> list[str]:
    resolved = resolve_like_corosync(address, ip_version, resolver)
    if resolved is None:
        return [
            f"warning: unable to resolve {key} '{address}' for node '{node}' to an IP address according to "
            "Corosync's resolve strategy - cluster could fail on restart!"
        ]
    if resolved != address:
        return [
            f"warning: {key} '{address}' for node '{node}' resolves to '{resolved}' - consider replacing it with the "
            "currently resolved IP address for stability"
        ]
    return []
