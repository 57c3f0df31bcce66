# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All guests of a cluster for an inventory, each with what its agent tells, its address and its groups' names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._session.errors import SessionError
from .._session.interface import Session
from .addresses import parse_networks
from .facts_run import find_guests, read_guests
from .gather import Wish
from .whereabouts import Neighbours, find_address, neighbours_of

NeighbourTable = Callable[[str, "str | None", Mapping[str, str]], Neighbours]


def read_inventory(
    session: Session, wish: Mapping[str, Any], neighbours: NeighbourTable = neighbours_of
) -> list[dict[str, Any]]:
    """C(wish) has networks, exclude_interfaces, gather, node, family, statuses and max_parallel."""
    rows = {
        int(row["vmid"]): row
        for row in session.get("/cluster/resources")
        if row.get("type") == "qemu" and row.get("vmid") is not None
    }
    chosen = find_guests(session, {"all": True, "node": wish["node"], "name": None, "vmid": None, "vmids": []})
    if wish["statuses"]:
        chosen = [guest for guest in chosen if rows[guest.vmid].get("status") in wish["statuses"]]
    facts = read_guests(
        session,
        chosen,
        Wish(
            gather=wish["gather"],
            networks=parse_networks(wish["networks"]),
            excluded=wish["exclude_interfaces"],
            require="ipv4",
        ),
        wish["max_parallel"],
    )
    tables = _Tables(session, neighbours)
    found = []
    for guest in facts:
        row = rows.get(guest["vmid"], {})
        node = str(guest["node"])

        def table(node: str = node) -> Neighbours:
            return tables.of(node)

        # Whoever is off has no address, whatever a node remembers of it.
        off = guest["reason"] in ("vm_stopped", "node_offline") or row.get("status") == "stopped"
        address, source = (None, "") if off else find_address(guest, wish["family"], table)
        found.append(
            {
                "vmid": guest["vmid"],
                "name": guest["name"],
                "node": node,
                "status": str(row.get("status", "")),
                "pool": row.get("pool"),
                "tags": [tag for tag in str(row.get("tags") or "").replace(",", ";").split(";") if tag],
                "address": address,
                "address_source": source,
                "agent": guest,
            }
        )
    return found


class _Tables:
    """Each node's neighbour table, read once and only if a guest on it needs it."""

    def __init__(self, session: Session, neighbours: NeighbourTable) -> None:
        self._session = session
        self._neighbours = neighbours
        self._read: dict[str, Neighbours] = {}
        self._addresses: dict[str, str] | None = None

    def of(self, node: str) -> Neighbours:
        if self._session.node is None:  # over the API from elsewhere there is no way to these tables
            return {}
        if node not in self._read:
            self._read[node] = self._neighbours(node, self._session.node, self._node_addresses())
        return self._read[node]

    def _node_addresses(self) -> dict[str, str]:
        if self._addresses is None:
            try:
                status = self._session.get("/cluster/status")
            except SessionError:
                status = []
            self._addresses = {
                str(row["name"]): str(row["ip"]) for row in status if row.get("type") == "node" and row.get("ip")
            }
        return self._addresses
