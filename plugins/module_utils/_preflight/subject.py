# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node as the preflight judges it: what was read on it, next to what the inventory wants of it. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified, classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.interpret import interpret
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot

_VERSION = re.compile(r"pve-manager/(\d+)\.(\d+)(\S*?)/")


@dataclass(frozen=True)
class Interface:
    """A local address and the interface that carries it."""

    address: str
    name: str
    mtu: int


@dataclass(frozen=True)
class Wish:
    """What the inventory says of one node."""

    host: str
    address: str  # how the controller reaches it
    is_primary: bool = False
    links: Mapping[int, str] = field(default_factory=dict)
    hostname: str = ""  # the inventory's "hostname", where given


@dataclass(frozen=True)
class Subject:
    """One node of the inventory together with what it said."""

    wish: Wish
    snapshot: Snapshot
    classified: Classified
    facts: Mapping[str, Any]

    @property
    def host(self) -> str:
        return self.wish.host

    @property
    def node_name(self) -> str:
        return self.snapshot.node_name

    def reading(self, name: str) -> Reading[Any]:
        raw = self.facts.get(name)
        if not isinstance(raw, Mapping):
            return Reading(None, f"'{name}' was not read")
        return Reading(raw.get("value"), str(raw.get("reason") or ""))

    @property
    def version(self) -> tuple[int, int] | None:
        """Major and minor version of Proxmox VE; None if there is none, or none that could be read."""
        match = _VERSION.search(self.reading("version").value or "")
        return (int(match[1]), int(match[2])) if match else None

    @property
    def cluster_name(self) -> str | None:
        config = self.snapshot.config.value
        return config.cluster_name if config is not None else None

    @property
    def interfaces(self) -> list[Interface]:
        try:
            content = json.loads(self.reading("addresses").value or "[]")
        except json.JSONDecodeError:
            return []
        return [
            Interface(entry["local"], interface["ifname"], int(interface.get("mtu", 1500)))
            for interface in content
            for entry in interface.get("addr_info", [])
            if "local" in entry
        ]

    def interface_of(self, address: str) -> Interface | None:
        return next((interface for interface in self.interfaces if interface.address == address), None)

    @property
    def link_addresses(self) -> dict[int, str]:
        """The addresses it has on the cluster's links, or will have: given ones, else PVE's fallback, its own name's address."""
        config = self.snapshot.config.value
        own = config.node(self.node_name) if config is not None else None
        if own is not None:
            return dict(own.addresses)
        if self.wish.links:
            return dict(self.wish.links)
        usable = [address for address in self.snapshot.own_addresses.value or [] if not is_loopback(address)]
        return {0: usable[0]} if usable else {}


def is_loopback(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "0.0.0.0", "::")


def subject_of(wish: Wish, answer: Mapping[str, Any], cluster_name: str) -> Subject:
    """From what proxmox_preflight returned on a node."""
    snapshot = interpret(answer["collected"])
    return Subject(wish, snapshot, classify(snapshot, cluster_name), answer["facts"])
