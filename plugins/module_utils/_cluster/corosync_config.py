# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What corosync.conf says about the cluster: members, links, votes, version.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_text import (
    Section,
    parse_corosync_text,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

HIGHEST_LINK = 7
_RING_ADDRESS = re.compile(r"(?:ring|link)([0-7])_addr")


@dataclass(frozen=True)
class CorosyncNode:
    name: str
    node_id: int
    votes: int = 1
    addresses: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CorosyncConfig:
    cluster_name: str
    config_version: int
    nodes: tuple[CorosyncNode, ...] = ()
    # Only links that have a priority of their own; the highest priority wins, and corosync takes 1 where none is set.
    priorities: Mapping[int, int] = field(default_factory=dict)
    token_coefficient: int | None = None
    qdevice_host: str | None = None
    qdevice_votes: int = 0
    digest: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes)

    @property
    def links(self) -> tuple[int, ...]:
        return tuple(sorted({link for node in self.nodes for link in node.addresses}))

    @property
    def expected_votes(self) -> int:
        return sum(node.votes for node in self.nodes) + self.qdevice_votes

    def node(self, name: str) -> CorosyncNode | None:
        """Node names are host names, so upper and lower case do not make two nodes."""
        return next((node for node in self.nodes if node.name.lower() == name.lower()), None)

    def node_of_id(self, node_id: int) -> CorosyncNode | None:
        return next((node for node in self.nodes if node.node_id == node_id), None)

    def users_of_address(self, address: str) -> list[str]:
        return [node.name for node in self.nodes if address in node.addresses.values()]


def read_corosync_config(text: str) -> CorosyncConfig:
    if not text.strip():
        raise UnreadableText("corosync.conf is empty.")
    root = parse_corosync_text(text)
    totem = root.section("totem")
    if totem is None:
        raise UnreadableText("corosync.conf has no totem section.")
    nodelist = root.section("nodelist")
    device = _qdevice(root)
    nodes = tuple(_node(section) for section in nodelist.sections("node")) if nodelist else ()
    return CorosyncConfig(
        cluster_name=totem.value("cluster_name") or "",
        config_version=_number(totem, "config_version", 0),
        nodes=nodes,
        priorities=_priorities(totem),
        token_coefficient=_optional_number(totem, "token_coefficient"),
        qdevice_host=_qdevice_host(device) if device else None,
        qdevice_votes=_qdevice_votes(device, nodes) if device else 0,
        digest=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    )


def _node(section: Section) -> CorosyncNode:
    addresses = {}
    for key, value in section.entries:
        matched = _RING_ADDRESS.fullmatch(key)
        if matched and isinstance(value, str):
            addresses[int(matched[1])] = value
    name = section.value("name") or addresses.get(0)
    if not name:
        raise UnreadableText("corosync.conf has a node without a name and without an address.")
    return CorosyncNode(name, _number(section, "nodeid"), _number(section, "quorum_votes", 1), addresses)


def _priorities(totem: Section) -> dict[int, int]:
    found = {}
    for interface in totem.sections("interface"):
        priority = _optional_number(interface, "knet_link_priority")
        number = _optional_number(interface, "linknumber")
        if number is None:
            number = _number(interface, "ringnumber", 0)
        if priority is not None:
            found[number] = priority
    return found


def _qdevice(root: Section) -> Section | None:
    quorum = root.section("quorum")
    return quorum.section("device") if quorum else None


def _qdevice_host(device: Section) -> str:
    net = device.section("net")
    return (net.value("host") if net else None) or ""


def _qdevice_votes(device: Section, nodes: tuple[CorosyncNode, ...]) -> int:
    # Without a number the "lms" algorithm gives the device one vote less than the nodes have together.
    return _number(device, "votes", max(sum(node.votes for node in nodes) - 1, 0))


def _number(section: Section, name: str, default: int | None = None) -> int:
    number = _optional_number(section, name)
    if number is None:
        number = default
    if number is None:
        raise UnreadableText(f"corosync.conf lacks the value of '{name}'.")
    return number


def _optional_number(section: Section, name: str) -> int | None:
    text = section.value(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d+", text):
        raise UnreadableText(f"corosync.conf has {name} '{text}', which is no number.")
    return int(text)
