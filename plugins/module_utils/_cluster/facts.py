# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as one node sees it, as data. What could not be read is null, with the reason under C(unknown).

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of


def cluster_facts(snapshot: Snapshot) -> dict[str, Any]:
    config, quorum = snapshot.config.value, snapshot.quorum.value
    return {
        "name": config.cluster_name if config else None,
        "config_version": config.config_version if config else None,
        "config_digest": config.digest if config else None,
        "quorate": quorum.quorate if quorum else None,
        "writable": snapshot.writable.value,
        "expected_votes": quorum.expected_votes if quorum else None,
        "total_votes": quorum.total_votes if quorum else None,
        "quorum_votes": quorum.needed_votes if quorum else None,
        "members": _members(snapshot, config) if config else [],
        "links": _links(snapshot, config) if config else [],
        "priorities": {str(number): priority for number, priority in config.priorities.items()} if config else {},
        "qdevice": config.qdevice_host if config else None,
        "certificate": _certificate(snapshot),
        "ha": _availability(snapshot),
        "unknown": _unknown(snapshot) if config else {},
    }


def _members(snapshot: Snapshot, config: CorosyncConfig) -> list[dict[str, Any]]:
    seen = view_of(snapshot, "").value
    return [
        {
            "name": node.name,
            "node_id": node.node_id,
            "votes": node.votes,
            "addresses": {str(number): address for number, address in node.addresses.items()},
            "online": node.name in seen.online if seen else None,
            "local": node.name.lower() == snapshot.node_name.lower(),
        }
        for node in config.nodes
    ]


def _links(snapshot: Snapshot, config: CorosyncConfig) -> list[dict[str, Any]]:
    status = snapshot.links.value
    found = []
    for state in status.states if status else ():
        node = config.node_of_id(state.node_id)
        found.append(
            {
                "number": state.number,
                "node_id": state.node_id,
                "name": node.name if node else None,
                "state": state.state,
                "connected": state.connected,
            }
        )
    return found


def _certificate(snapshot: Snapshot) -> dict[str, Any]:
    disk = snapshot.disk_certificate.value
    return {
        "file": disk.file if disk else None,
        "disk": disk.fingerprint if disk else None,
        "served": snapshot.served_fingerprint.value,
        "present": disk is not None and disk.has_key if snapshot.disk_certificate.known else None,
    }


def _availability(snapshot: Snapshot) -> dict[str, Any]:
    availability = snapshot.high_availability.value
    return {
        "master": availability.master if availability else None,
        "active_lrms": availability.active_nodes if availability else None,
        "resources": dict(availability.resources) if availability else None,
    }


def _unknown(snapshot: Snapshot) -> dict[str, str]:
    readings: dict[str, Reading[Any]] = {
        "quorum": snapshot.quorum,
        "writable": snapshot.writable,
        "links": snapshot.links,
        "certificate": snapshot.disk_certificate,
        "served_certificate": snapshot.served_fingerprint,
        "ha": snapshot.high_availability,
    }
    return {name: reading.reason for name, reading in readings.items() if not reading.known}
