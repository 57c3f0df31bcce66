# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's name and nodes out of corosync's configuration map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from practice_pve.pmxcfs.status import ClusterInfo, Member

PREFIX = "nodelist.node."


class ConfigurationMap(Protocol):
    def keys(self, prefix: str) -> list[str]: ...
    def number(self, key: str, bits: int = 32) -> int: ...
    def text(self, key: str) -> str: ...


def _by_position(keys: Iterable[str]) -> dict[int, set[str]]:
    """nodelist.node.0.nodeid ... grouped by the number."""
    found: dict[int, set[str]] = {}
    for key in keys:
        position, _, name = key.removeprefix(PREFIX).partition(".")
        if position.isdigit() and name:
            found.setdefault(int(position), set()).add(name)
    return found


def read_cluster_info(configuration: ConfigurationMap) -> ClusterInfo:
    version = configuration.number("totem.config_version", bits=64)
    cluster = ClusterInfo(configuration.text("totem.cluster_name"), version)
    for position, names in _by_position(configuration.keys(PREFIX)).items():
        prefix = f"{PREFIX}{position}."
        # A node without a name is called by its first address.
        name_key = "name" if "name" in names else "ring0_addr"
        if "nodeid" in names and name_key in names:
            node_id = configuration.number(f"{prefix}nodeid")
            cluster.members[node_id] = Member(configuration.text(prefix + name_key), node_id)
    return cluster
