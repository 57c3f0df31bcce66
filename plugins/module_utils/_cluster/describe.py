# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's place in its cluster in a few words: the two sides of a diff.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState


def describe_now(snapshot: Snapshot, classified: Classified) -> dict[str, Any]:
    config = snapshot.config.value
    return {
        "node": snapshot.node_name,
        "node_state": classified.state.value,
        "cluster_name": config.cluster_name if config else None,
        "members": sorted(config.names) if config else [],
    }


def describe_member(snapshot: Snapshot, cluster_name: str | None, members: Iterable[str]) -> dict[str, Any]:
    return {
        "node": snapshot.node_name,
        "node_state": NodeState.MEMBER.value,
        "cluster_name": cluster_name,
        "members": sorted(members),
    }


def describe_standalone(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "node": snapshot.node_name,
        "node_state": NodeState.STANDALONE.value,
        "cluster_name": None,
        "members": [],
    }
