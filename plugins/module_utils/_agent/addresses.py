# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a guest's addresses others reach it by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Union

from .parse import Interface

Address = Union[IPv4Address, IPv6Address]  # noqa: UP007  # pylint takes | for an operation here
Network = Union[IPv4Network, IPv6Network]  # noqa: UP007

# Made by container engines and hypervisors inside the guest: nobody outside reaches these.
INNER_INTERFACES = (
    "lo",
    "docker*",
    "veth*",
    "br-*",
    "virbr*",
    "vnet*",
    "podman*",
    "cni*",
    "flannel*",
    "cali*",
    "cilium*",
    "kube-*",
    "lxcbr*",
    "lxdbr*",
    "incusbr*",
    "vethernet (*",
    "loopback pseudo-interface*",
)
_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))
_UNIQUE_LOCAL = ip_network("fc00::/7")
_DEPRECATED = ip_network("fec0::/10")
# Tunnels that Windows sets up by itself.
_TRANSITION = (ip_network("2001::/32"), ip_network("2002::/16"))


@dataclass(frozen=True)
class Primary:
    ipv4: str | None
    ipv6: str | None


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError, which names the text, for anything that is no network or address."""
    return tuple(ip_network(text, strict=False) for text in texts)


def choose_primary(
    interfaces: Sequence[Interface],
    macs: Sequence[str],
    networks: Sequence[Network] = (),
    excluded: Sequence[str] = (),
) -> Primary:
    """Choose one address of each family.

    C(macs) are those of net0, net1 ... in this order, C(networks) the wanted ones, best first, C(excluded) name patterns.
    Wanted networks restrict only their own family. Naming one also lets a link-local address or an interface that Proxmox VE
    does not know be chosen.
    """
    found = list(_candidates(interfaces, [mac.lower() for mac in macs], networks, excluded))
    best = {
        version: min((rank, str(address)) for rank, address in found if address.version == version)[1]
        for version in {address.version for _rank, address in found}
    }
    return Primary(best.get(4), best.get(6))


Rank = tuple[int, int, int, int, int]


def _candidates(
    interfaces: Sequence[Interface], macs: Sequence[str], networks: Sequence[Network], excluded: Sequence[str]
) -> Iterator[tuple[Rank, Address]]:
    position = 0
    for interface in interfaces:
        if _is_excluded(interface.name, excluded):
            continue
        for entry in interface.addresses:
            position += 1
            address = _parse(entry.address)
            if address is None or address.is_loopback or address.is_multicast or address.is_unspecified:
                continue
            wanted = [network for network in networks if network.version == address.version]
            network_rank = next((rank for rank, network in enumerate(wanted) if address in network), -1)
            if wanted and network_rank < 0:
                continue
            if not wanted and not _may_be_chosen_unasked(address, interface, macs):
                continue
            mac_rank = macs.index(interface.mac) if interface.mac in macs else len(macs) + (not interface.mac)
            scope = _scope_rank(address)
            yield (network_rank, mac_rank, scope, _stability_rank(address, interface.mac), position), address


def _is_excluded(name: str, patterns: Sequence[str]) -> bool:
    lower = name.lower()
    return any(fnmatchcase(lower, pattern.lower()) for pattern in (*INNER_INTERFACES, *patterns))


def _parse(text: str) -> Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _may_be_chosen_unasked(address: Address, interface: Interface, macs: Sequence[str]) -> bool:
    if any(address in network for network in (*_LINK_LOCAL, _DEPRECATED) if network.version == address.version):
        return False
    # Not one of netN: a passed-through card (whose MAC its maker gave), or made inside the guest.
    return not macs or interface.mac in macs or _is_made_by_a_vendor(interface.mac)


def _is_made_by_a_vendor(mac: str) -> bool:
    try:
        first = int(mac.partition(":")[0], 16)
    except ValueError:
        return False
    return not first & 0b11 and mac != "00:00:00:00:00:00"


def _scope_rank(address: Address) -> int:
    if isinstance(address, IPv4Address):
        return 0
    if address in _UNIQUE_LOCAL:
        return 1
    return 2 if any(address in network for network in _TRANSITION) else 0


def _stability_rank(address: Address, mac: str) -> int:
    """The agent does not say which IPv6 address is a temporary one; one made from the MAC is certainly not."""
    if not isinstance(address, IPv6Address) or mac.count(":") != 5:
        return 0
    parts = [int(part, 16) for part in mac.split(":")]
    identifier = bytes([parts[0] ^ 0b10, *parts[1:3], 0xFF, 0xFE, *parts[3:]])
    return 0 if address.packed[8:] == identifier else 1
