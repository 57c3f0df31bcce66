# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of corosync's links, as C(corosync-cfgtool) prints it.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

_LOCAL = re.compile(r"Local node ID (\d+), transport (\S+)")
_LINK = re.compile(r"LINK ID (\d+)(?: (\S+))?")
_ADDRESS = re.compile(r"\s+addr\s*=\s*(\S+)")
_STATE = re.compile(r"\s+nodeid:?\s*(\d+):\s*(\S+)")
_NODE = re.compile(r"nodeid: (\d+) (\S+)")
_NODE_LINK = re.compile(r"\s+LINK: (\d+) (\S+) \((.+)->(.+)\) (.*?)(?:\s*mtu: (\d+))?\s*")


@dataclass(frozen=True)
class LinkState:
    """How this node sees one other node over one link."""

    number: int
    node_id: int
    connected: bool
    state: str
    local_address: str = ""


@dataclass(frozen=True)
class LinkStatus:
    local_node_id: int
    transport: str
    states: tuple[LinkState, ...] = ()

    def to_node(self, node_id: int) -> tuple[LinkState, ...]:
        return tuple(state for state in self.states if state.node_id == node_id)


@dataclass(frozen=True)
class NodeLink:
    number: int
    node_id: int
    local_address: str
    remote_address: str
    enabled: bool
    connected: bool
    mtu: int | None


def parse_link_status(text: str) -> LinkStatus:
    """C(corosync-cfgtool -s). A node's entry for itself ("localhost") is left out."""
    first = _LOCAL.match(text)
    if not first:
        raise UnreadableText("corosync-cfgtool -s does not begin with the local node's id.")
    local_node_id = int(first[1])
    states = []
    number: int | None = None
    address = ""
    for line in text.splitlines():
        link, own_address, state = _LINK.match(line), _ADDRESS.fullmatch(line), _STATE.fullmatch(line)
        if link:
            number, address = int(link[1]), ""
        elif own_address:
            address = own_address[1]
        elif state and number is not None and int(state[1]) != local_node_id:
            states.append(LinkState(number, int(state[1]), state[2] == "connected", state[2], address))
    return LinkStatus(local_node_id, first[2], tuple(states))


def parse_node_links(text: str) -> tuple[NodeLink, ...]:
    """C(corosync-cfgtool -n): only nodes that corosync reaches are listed at all."""
    if not _LOCAL.match(text):
        raise UnreadableText("corosync-cfgtool -n does not begin with the local node's id.")
    found = []
    node_id: int | None = None
    for line in text.splitlines():
        node, link = _NODE.match(line), _NODE_LINK.fullmatch(line)
        if node:
            node_id = int(node[1])
        elif link and node_id is not None:
            words = link[5].split()
            mtu = int(link[6]) if link[6] else None
            found.append(
                NodeLink(int(link[1]), node_id, link[3], link[4], "enabled" in words, "connected" in words, mtu)
            )
    return tuple(found)
