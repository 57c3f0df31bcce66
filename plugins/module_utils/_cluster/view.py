# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as one of its members sees it.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot


@dataclass(frozen=True)
class ClusterView:
    """C(never_seen): listed in the configuration, but pmxcfs has not heard of them since it started."""

    seen_from: str
    address: str
    config: CorosyncConfig
    quorate: bool
    # None where the way of looking cannot tell (the API).
    writable: bool | None
    online: frozenset[str]
    never_seen: frozenset[str] = frozenset()
    addresses: Mapping[str, str] = field(default_factory=dict)
    # Membership commands that run on that member at this moment.
    busy: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.quorate and self.writable is not False

    def address_of(self, name: str) -> str:
        """Where PVE's own commands reach the member: its address in .members, not that of a corosync link."""
        node = self.config.node(name)
        return self.addresses.get(name) or (next(iter(node.addresses.values()), "") if node else "")

    def offline(self) -> list[str]:
        return [name for name in self.config.names if name not in self.online]

    def lists(self, name: str) -> bool:
        return self.config.node(name) is not None


def view_of(snapshot: Snapshot, address: str) -> Reading[ClusterView]:
    """What a member's snapshot says about the cluster; unknown with the reason if it is no member."""
    config, membership = snapshot.config, snapshot.membership
    if config.absent:
        return unknown(f"{snapshot.node_name} is in no cluster.")
    for name, reading in (("corosync.conf", config), (".members", membership), ("/etc/pve", snapshot.writable)):
        if not reading.known:
            return unknown(f"{snapshot.node_name}: {name}: {reading.reason}")
    if config.value is None or membership.value is None:
        return unknown(f"{snapshot.node_name} has no .members.")
    if snapshot.quorum.value is None:
        return unknown(f"{snapshot.node_name}: quorum: {snapshot.quorum.reason}")
    voters, members = snapshot.quorum.value.node_ids, membership.value.members
    online = {
        node.name
        for node in config.value.nodes
        if node.node_id in voters and (node.name not in members or members[node.name].online)
    }
    never_seen = {
        node.name
        for node in config.value.nodes
        if node.name not in online and not (node.name in members and members[node.name].address)
    }
    return Reading(
        ClusterView(
            seen_from=snapshot.node_name,
            address=address,
            config=config.value,
            quorate=snapshot.quorum.value.quorate and membership.value.quorate,
            writable=snapshot.writable.value,
            online=frozenset(online),
            never_seen=frozenset(never_seen),
            addresses={member.name: member.address for member in members.values() if member.address},
            busy=tuple(snapshot.foreign_commands.value or ()),
        )
    )
