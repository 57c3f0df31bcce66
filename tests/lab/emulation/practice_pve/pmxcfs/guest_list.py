# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guest exists where: the list behind `.vmlist` and behind the refusal of a second guest with the same id."""

from __future__ import annotations

from dataclasses import dataclass

from practice_pve.pmxcfs.entry import Entry
from practice_pve.pmxcfs.glib_order import hash_of_number, in_table_order
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.paths import GUEST_TYPES, GuestConfig, guest_id, is_node_name


@dataclass(frozen=True, slots=True)
class Guest:
    node: str
    kind: str
    version: int


class GuestList:
    def __init__(self) -> None:
        self.version = 0
        self.guests: dict[int, Guest] = {}
        self._counter = 0

    def register(self, config: GuestConfig) -> None:
        self.version += 1
        self._put(config.vmid, config.node, config.kind)

    def _put(self, vmid: int, node: str, kind: str) -> None:
        self._counter += 1
        self.guests[vmid] = Guest(node, kind, self._counter)

    def remove(self, vmid: int) -> None:
        self.version += 1
        self.guests.pop(vmid, None)

    def exists_elsewhere(self, config: GuestConfig) -> bool:
        guest = self.guests.get(config.vmid)
        return guest is not None and (guest.node, guest.kind) != (config.node, config.kind)

    def rebuild(self, root: Entry) -> bool:
        """Read the list out of a loaded tree. False when an id is used twice."""
        nodes = root.children.get("nodes")
        if nodes is None or not nodes.is_directory:
            return True
        self.guests = {}
        unique = True
        for node in nodes.children.values():
            if not node.is_directory or not is_node_name(node.name):
                continue
            for directory_name, kind in GUEST_TYPES.items():
                directory = node.children.get(directory_name)
                for entry in directory.children.values() if directory is not None else ():
                    vmid = guest_id(entry.name)
                    if entry.is_directory or vmid is None:
                        continue
                    if vmid in self.guests:
                        log.critical("status", f"detected duplicate VMID {vmid}")
                        unique = False
                        continue
                    self._put(vmid, node.name, kind)
        self.version += 1
        return unique

    def to_text(self) -> str:
        if not self.guests:
            return f'{{\n"version": {self.version}\n\n}}\n'
        lines = [
            f'"{vmid}": {{ "node": "{guest.node}", "type": "{guest.kind}", "version": {guest.version} }}'
            for vmid in in_table_order(self.guests, hash_of_number)
            for guest in (self.guests[vmid],)
        ]
        return f'{{\n"version": {self.version},\n"ids": {{\n' + ",\n".join(lines) + "}\n\n}\n"
