# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All guests of all nodes, read with few calls: one for the cluster, one for each node, one for each guest that is declared.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .._session.errors import NotFound, SessionError
from .._session.interface import Session
from .errors import GuestError, Refused
from .state import GuestState, read_creation, read_pending


@dataclass
class Fleet:
    """What is known of the guests. Several workers use it at once."""

    session: Session
    kind: str = "qemu"
    nodes: tuple[str, ...] = ()
    guests: dict[int, GuestState] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    _reserved: set[int] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def read(cls, session: Session, kind: str = "qemu") -> Fleet:
        fleet = cls(session, kind)
        fleet.refresh()
        return fleet

    def refresh(self) -> None:
        rows: list[dict[str, Any]] = self.session.get("/cluster/resources")
        guests: dict[int, GuestState] = {}
        for row in rows:
            if row.get("type") in ("qemu", "lxc"):
                guests[int(row["vmid"])] = GuestState(
                    vmid=int(row["vmid"]),
                    node=str(row.get("node", "")),
                    name=_own_name(row),
                    kind=str(row["type"]),
                    status=str(row.get("status", "unknown")),
                    is_template=str(row.get("template", 0)) == "1",
                    lock=str(row.get("lock") or ""),
                    pool=str(row.get("pool") or ""),
                    ha_state=str(row.get("hastate") or ""),
                )
        online = [str(row["node"]) for row in rows if row.get("type") == "node" and row.get("status") != "offline"]
        if self.session.node and self.session.node not in online:
            online.append(self.session.node)
        warnings = []
        for node in sorted(online):
            # The cluster's list learns names and states from a daemon's rounds; the node's own list is never late.
            try:
                listed = self.session.get(f"/nodes/{node}/{self.kind}")
            except SessionError as error:
                if node == self.session.node:
                    raise
                warnings.append(f"The guests of {node} cannot be read: {error}")
                continue
            for row in listed:
                vmid = int(row["vmid"])
                known = guests.get(vmid, GuestState(vmid, node))
                guests[vmid] = replace(
                    known,
                    node=node,
                    kind=self.kind,
                    name=_own_name(row),
                    status=str(row.get("status", "unknown")),
                    is_template=str(row.get("template", 0)) == "1" or known.is_template,
                    lock=str(row.get("lock") or ""),
                )
        with self._lock:
            self.nodes, self.guests, self.warnings = tuple(sorted(online)), guests, warnings

    def find(self, name: str, vmid: int | None) -> GuestState | None:
        """The guest that is meant, by vmid or by a name that only one guest may have."""
        with self._lock:
            named = [guest for guest in self.guests.values() if guest.kind == self.kind and name and guest.name == name]
            if vmid is None:
                if len(named) > 1:
                    ids = ", ".join(
                        f"{guest.vmid} on {guest.node}" for guest in sorted(named, key=lambda one: one.vmid)
                    )
                    raise Refused(f"The name {name} is not unique: {ids}.", "Declare the vmid.")
                return named[0] if named else None
            guest = self.guests.get(vmid)
        if guest is None:
            if named:
                raise Refused(
                    f"{name} exists with the vmid {named[0].vmid} on {named[0].node}, not {vmid}.",
                    f"Declare vmid: {named[0].vmid}, or another name.",
                )
            return None
        if guest.kind != self.kind:
            raise Refused(
                f"The vmid {vmid} is taken on {guest.node} by {guest.name or 'a guest'} of another kind.",
                "Declare another vmid.",
            )
        if name and guest.name != name and not (guest.lock in ("create", "clone") and not guest.name):
            raise Refused(
                f"The vmid {vmid} is taken by {guest.name or 'a guest without a name'} on {guest.node}, which is not {name}.",
                "Declare another vmid, or the name that it has.",
            )
        return guest

    def load(self, guest: GuestState) -> GuestState | None:
        """The guest with its configuration; None when it is gone."""
        try:
            rows = self.session.get(f"/nodes/{guest.node}/{guest.kind}/{guest.vmid}/pending")
        except NotFound:
            return None
        config, pending, other = read_pending(rows)
        return replace(
            guest,
            config=config,
            pending=pending,
            digest=str(other.get("digest") or ""),
            lock=str(other.get("lock") or ""),
            is_template=str(other.get("template") or 0) == "1",
            created=read_creation(other.get("meta")),
            name=str(config.get("name") or config.get("hostname") or ""),
        )

    def reload(self, guest: GuestState) -> GuestState | None:
        """The guest with its status and configuration as they are now."""
        try:
            status = self.session.get(f"/nodes/{guest.node}/{guest.kind}/{guest.vmid}/status/current")
        except NotFound:
            return None
        return self.load(replace(guest, status=str(status.get("status", "unknown"))))

    def reserve(self, vmid_range: tuple[int, int] | None) -> int:
        """A vmid that no guest and no other worker has. Only creating reserves it in the cluster."""
        with self._lock:
            taken = {*self.guests, *self._reserved}
            if vmid_range:
                first, last = vmid_range
            else:
                first, last = int(self.session.get("/cluster/nextid")), 999999999
            for vmid in range(first, last + 1):
                if vmid not in taken:
                    self._reserved.add(vmid)
                    return vmid
        raise GuestError(f"No vmid from {first} to {last} is free.", "Make vmid_range larger.")

    def claim(self, vmids: Iterable[int]) -> None:
        """Declared vmids are not given to others."""
        with self._lock:
            self._reserved.update(vmids)

    def node_for(self, wanted: str) -> str:
        if wanted:
            if wanted not in self.nodes:
                raise Refused(f"There is no node {wanted} online.", f"There are {', '.join(self.nodes)}.")
            return wanted
        if self.session.node:
            return self.session.node
        if len(self.nodes) == 1:
            return self.nodes[0]
        raise Refused(
            "node: several nodes are there, and none is declared.", f"Declare one of {', '.join(self.nodes)}."
        )

    def templates(self) -> list[str]:
        return sorted(
            f"{guest.name or guest.vmid} ({guest.vmid} on {guest.node})"
            for guest in self.guests.values()
            if guest.is_template and guest.kind == self.kind
        )


def _own_name(row: dict[str, Any]) -> str:
    """A guest without a name is listed as C(VM 103), which cannot be a name."""
    name = str(row.get("name") or "")
    return "" if name in (f"VM {row['vmid']}", f"CT{row['vmid']}") else name
