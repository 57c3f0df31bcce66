# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in the cluster, as pmxcfs (C(/etc/pve/.members)) and PVE's API (C(/cluster/status)) tell it.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText


@dataclass(frozen=True)
class Member:
    name: str
    node_id: int
    online: bool
    # Empty for a node that pmxcfs has not heard of since it started.
    address: str = ""


@dataclass(frozen=True)
class Membership:
    """C(cluster_name) is None when the node runs alone or pmxcfs has not yet heard of corosync."""

    node_name: str
    cluster_name: str | None = None
    config_version: int = 0
    quorate: bool = False
    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def online(self) -> list[str]:
        return [member.name for member in self.members.values() if member.online]

    @property
    def offline(self) -> list[str]:
        return [member.name for member in self.members.values() if not member.online]


def parse_members_file(text: str) -> Membership:
    """C(/etc/pve/.members). C(online) is stale when corosync is dead: C(quorate) is 0 then and is what counts."""
    content = _json(text, "/etc/pve/.members")
    if not isinstance(content, dict) or not isinstance(content.get("nodename"), str):
        raise UnreadableText("/etc/pve/.members does not name its node.")
    cluster = content.get("cluster")
    if cluster is None:
        return Membership(content["nodename"])
    try:
        return Membership(
            node_name=content["nodename"],
            cluster_name=str(cluster["name"]),
            config_version=int(cluster["version"]),
            quorate=int(cluster["quorate"]) == 1,
            members={
                name: Member(name, int(entry["id"]), int(entry["online"]) == 1, str(entry.get("ip", "")))
                for name, entry in content.get("nodelist", {}).items()
            },
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableText(f"/etc/pve/.members has an unknown form: {error!r}.") from error


def parse_cluster_status(text: str) -> Membership:
    """C(pvesh get /cluster/status --output-format json), or the C(data) of the same API call."""
    content = _json(text, "/cluster/status")
    if isinstance(content, dict):
        content = content.get("data")
    if not isinstance(content, list):
        raise UnreadableText("/cluster/status is no list.")
    return membership_of_status(content)


def membership_of_status(entries: list[dict[str, Any]]) -> Membership:
    try:
        nodes = [entry for entry in entries if entry["type"] == "node"]
        clusters = [entry for entry in entries if entry["type"] == "cluster"]
        own = next((entry["name"] for entry in nodes if int(entry.get("local", 0)) == 1), "")
        if not nodes:
            raise UnreadableText("/cluster/status lists no node.")
        if not clusters:
            return Membership(own)
        return Membership(
            node_name=own,
            cluster_name=str(clusters[0]["name"]),
            config_version=int(clusters[0]["version"]),
            quorate=int(clusters[0]["quorate"]) == 1,
            members={
                entry["name"]: Member(
                    entry["name"], int(entry["nodeid"]), int(entry["online"]) == 1, str(entry.get("ip") or "")
                )
                for entry in nodes
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableText(f"/cluster/status has an unknown form: {error!r}.") from error


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableText(f"{name} is not JSON ({error}).") from error
