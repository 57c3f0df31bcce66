# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA as it is configured now.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._session.interface import Session, join_path
from .._storage.look import read_nodes, storages_of
from .._storage.tables import TYPES
from .errors import HaError
from .tables import GROUP, RESOURCE, RULE

#: Proxmox VE 9 turned groups into rules.
FIRST_WITH_RULES = 9


@dataclass(frozen=True)
class Configuration:
    """Resources by sid; placements are node affinity rules by name from version 9 on, and groups before. All in normal form."""

    has_rules: bool
    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    placements: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Every node, and whether it is online.
    nodes: Mapping[str, bool] = field(default_factory=dict)

    def members(self, placement: str) -> set[str]:
        """The guests that a rule or group is for."""
        if self.has_rules:
            return set(self.placements[placement]["resources"])
        return {sid for sid, keys in self.resources.items() if keys.get("group") == placement}

    def placements_of(self, sid: str) -> list[str]:
        return [name for name in self.placements if sid in self.members(name)]


def read_configuration(session: Session) -> Configuration:
    has_rules = session.version().major >= FIRST_WITH_RULES
    if has_rules:
        rules = session.get("/cluster/ha/rules", type="node-affinity")
        placements = {str(rule["rule"]): RULE.parse_current(rule) for rule in rules}
    else:
        placements = {str(group["group"]): GROUP.parse_current(group) for group in session.get("/cluster/ha/groups")}
    return Configuration(
        has_rules=has_rules,
        resources={
            str(entry["sid"]): RESOURCE.parse_current(_spelled(entry)) for entry in session.get("/cluster/ha/resources")
        },
        placements=placements,
        nodes=read_nodes(session),
    )


def _spelled(entry: Mapping[str, Any]) -> dict[str, Any]:
    # The older word for the same.
    return {**entry, "state": "started"} if entry.get("state") == "enabled" else dict(entry)


@dataclass(frozen=True)
class Guest:
    sid: str
    node: str


def find_guest(session: Session, name: str) -> Guest | None:
    """C(vm:100), C(ct:200) or the number alone."""
    kind, _colon, number = name.rpartition(":")
    for entry in session.get("/cluster/resources", type="vm"):
        if str(entry["vmid"]) == number:
            sid = f"{'ct' if entry['type'] == 'lxc' else 'vm'}:{number}"
            if kind and sid != name:
                raise HaError(f"{number} is {sid}, not {name}.")
            return Guest(sid, str(entry["node"]))
    return None


def unmovable_volumes(session: Session, guest: Guest) -> list[str]:
    """The keys of volumes on storages that other nodes do not have: such a guest cannot be started elsewhere."""
    kind, _colon, number = guest.sid.partition(":")
    config = session.get(join_path("nodes", guest.node, "lxc" if kind == "ct" else "qemu", number, "config"))
    shared = {str(entry["storage"]) for entry in session.get("/storage") if _is_shared(entry)}
    volumes = {key: storage for key, storage in storages_of(config).items() if not key.startswith("unused")}
    return [f"{key} on {storage}" for key, storage in sorted(volumes.items()) if storage not in shared]


def _is_shared(entry: Mapping[str, Any]) -> bool:
    kind = TYPES.get(str(entry.get("type")))
    return bool(int(entry.get("shared") or 0)) or (kind is not None and kind.is_network)
