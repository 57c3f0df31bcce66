# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of nodes: what the cluster says, what the resolver says, what is configured here."""

from __future__ import annotations

import ipaddress
import re
import socket
import subprocess

from practice_pve.cluster.cluster_files import member_address
from practice_pve.cluster.links import is_address
from practice_pve.rest.errors import ApiError

LOOPBACK = re.compile(r"^127\.|^::1$")
INTERFACE_ADDRESS = re.compile(r"^\s*\d*:?\s*.*?\binet6?\s+([0-9a-fA-F.:]+)(?:/\d+|\s+peer\s)", re.MULTILINE)


def node_address(node: str) -> str:
    """The address PVE uses for a node: from the cluster, else from the resolver, never a loopback one."""
    return member_address(node) or resolve_host_name(node)


def resolve_host_name(name: str) -> str:
    try:
        answers = socket.getaddrinfo(name, "0", flags=socket.AI_V4MAPPED | socket.AI_ALL)
    except socket.gaierror as error:
        raise ApiError(
            f"hostname lookup '{name}' failed - failed to get address info for: {name}: {error.strerror}\n"
        ) from error
    for answer in answers:
        address = str(answer[4][0])
        if not LOOPBACK.search(address):
            return address
    raise ApiError(f"address lookup for '{name}' did not find any IP address\n")


def is_local_address(address: str) -> bool:
    """True when the very address is configured on an interface that is up."""
    bits = ipaddress.ip_address(address).max_prefixlen
    shown = subprocess.run(
        ["/sbin/ip", "address", "show", "to", f"{address}/{bits}", "up"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return bool(INTERFACE_ADDRESS.search(shown.stdout))


def local_addresses_in(network: str) -> list[str]:
    """Local addresses within a network, in the order of the interfaces."""
    shown = subprocess.run(
        ["/sbin/ip", "address", "show", "to", network, "up"], stdout=subprocess.PIPE, text=True, check=False
    )
    return list(dict.fromkeys(INTERFACE_ADDRESS.findall(shown.stdout)))


def describe_unusable_address(address_or_name: str, what: str) -> str | None:
    """The reason why a link of this node cannot use the address; None when it can."""
    address = address_or_name
    if not is_address(address):
        try:
            address = resolve_host_name(address_or_name)
        except ApiError as error:
            return f"{what}: cannot use '{address_or_name}': {error.message}\n"
    if not is_local_address(address):
        return f"{what}: cannot use IP '{address}', not found on local node!\n"
    return None
