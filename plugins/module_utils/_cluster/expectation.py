# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold on a node for a step to have succeeded. The state decides, never an exit code.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import leftovers
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of


@dataclass(frozen=True)
class Expectation:
    """C(members): exactly these are configured. C(online): at least these are there and reached over every link."""

    cluster_name: str | None = None
    members: frozenset[str] | None = None
    online: frozenset[str] | None = None
    certificate: bool = True


def unmet_membership(snapshot: Snapshot, expected: Expectation) -> list[str]:
    """What is still missing, in words; nothing unreadable counts as fulfilled."""
    seen = view_of(snapshot, "")
    if seen.value is None:
        return [seen.reason]
    view, config = seen.value, seen.value.config
    here = snapshot.node_name
    missing = []
    if expected.cluster_name is not None and config.cluster_name != expected.cluster_name:
        missing.append(f"{here} is in cluster '{config.cluster_name}', not in '{expected.cluster_name}'")
    if expected.members is not None and frozenset(config.names) != expected.members:
        missing.append(
            f"{here} lists {', '.join(sorted(config.names))} instead of {', '.join(sorted(expected.members))}"
        )
    membership = snapshot.membership.value
    if membership is not None and membership.config_version != config.config_version:
        missing.append(f"{here}: corosync runs with version {membership.config_version}, not {config.config_version}")
    wanted = expected.online if expected.online is not None else frozenset(config.names)
    offline = sorted(wanted - view.online)
    if offline:
        missing.append(f"{here} does not see {', '.join(offline)} online")
    if not view.quorate:
        missing.append(f"{here} is not quorate")
    if not view.writable:
        missing.append(f"/etc/pve is read-only on {here}")
    missing += _unmet_votes(snapshot, config)
    missing += _unmet_links(snapshot, config, wanted)
    if expected.certificate:
        missing += _unmet_certificate(snapshot)
    return missing


def unmet_separation(snapshot: Snapshot) -> list[str]:
    """What keeps the node from being standalone, clean and writable."""
    if not snapshot.mounted.value:
        return [f"/etc/pve is not mounted {snapshot.mounted.reason}".strip()]
    missing = []
    if not snapshot.config.absent:
        missing.append(snapshot.config.reason or "/etc/pve/corosync.conf is still there")
    if not snapshot.writable.value:
        missing.append(snapshot.writable.reason or "/etc/pve is read-only")
    if not snapshot.node_directories.known:
        missing.append(f"/etc/pve/nodes: {snapshot.node_directories.reason}")
    if not snapshot.leave_marker.absent:
        missing.append("the separation did not reach its end")
    missing += [f"left over: {name}" for name in leftovers(snapshot)]
    return missing + _unmet_certificate(snapshot)


def _unmet_votes(snapshot: Snapshot, config: CorosyncConfig) -> list[str]:
    quorum = snapshot.quorum.value
    if quorum is None:
        return [f"the votes on {snapshot.node_name}: {snapshot.quorum.reason}"]
    # A qdevice is not waited for: it connects in its own time and is a finding of the health check.
    if quorum.expected_votes < sum(node.votes for node in config.nodes):
        return [f"{snapshot.node_name} expects {quorum.expected_votes} votes of {config.expected_votes}"]
    return []


def _unmet_links(snapshot: Snapshot, config: CorosyncConfig, wanted: frozenset[str]) -> list[str]:
    status = snapshot.links.value
    if status is None:
        return [f"the links of {snapshot.node_name}: {snapshot.links.reason}"]
    missing = []
    for node in config.nodes:
        if node.name not in wanted or node.name.lower() == snapshot.node_name.lower():
            continue
        connected = {state.number for state in status.to_node(node.node_id) if state.connected}
        for number in sorted(set(node.addresses) - connected):
            missing.append(f"link {number} from {snapshot.node_name} to {node.name} is not connected")
    return missing


def _unmet_certificate(snapshot: Snapshot) -> list[str]:
    served = snapshot.certificate_is_served
    if served:
        return []
    if served is None:
        reason = snapshot.disk_certificate.reason or snapshot.served_fingerprint.reason or "it could not be read"
        return [f"the certificate of {snapshot.node_name}: {reason}"]
    disk = snapshot.disk_certificate.value
    if disk is None or not disk.has_key:
        return [f"{snapshot.node_name} has no certificate of its own"]
    return [f"{snapshot.node_name} still serves an old certificate on port 8006"]
