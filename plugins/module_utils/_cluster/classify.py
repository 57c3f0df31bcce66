# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the state that a node is in, from its snapshot and, where one is at hand, from what a member sees.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import WAYS, NodeState, Way
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView

_STATE_OF_OPERATION = {
    "create": NodeState.CREATING,
    "join": NodeState.JOINING,
    "leave": NodeState.LEAVING,
}


@dataclass(frozen=True)
class Classified:
    state: NodeState
    reason: str

    @property
    def way(self) -> Way:
        return WAYS[self.state]


def classify(snapshot: Snapshot, cluster_name: str | None = None, view: ClusterView | None = None) -> Classified:
    """C(cluster_name) is the cluster that the node should belong to; without it no cluster is a foreign one."""
    running = _running_operation(snapshot)
    if running:
        return running
    if not snapshot.leave_marker.known:
        return Classified(NodeState.UNKNOWN, f"The marker of a separation: {snapshot.leave_marker.reason}")
    if snapshot.leave_marker.present:
        return Classified(NodeState.SEPARATION_INTERRUPTED, "A separation began and did not reach its end.")
    if snapshot.mounted.value is None:
        return Classified(NodeState.UNKNOWN, f"Is /etc/pve mounted? {snapshot.mounted.reason}")
    if not snapshot.mounted.value:
        return _without_pmxcfs(snapshot)
    for name, reading in (("/etc/pve/.members", snapshot.membership), ("/etc/pve/corosync.conf", snapshot.config)):
        if not reading.known:
            return Classified(NodeState.UNKNOWN, f"{name}: {reading.reason}")
    if snapshot.config.value is None:
        return _outside(snapshot, view)
    return _inside(snapshot, snapshot.config.value, cluster_name, view)


def leftovers(snapshot: Snapshot) -> list[str]:
    """What a standalone node still holds of a cluster and should not. Corosync's ring files alone do no harm."""
    found = []
    if not snapshot.authkey.absent:
        found.append("/etc/corosync/authkey")
    if not snapshot.local_config.absent:
        found.append("/etc/corosync/corosync.conf")
    if snapshot.active("corosync.service"):
        found.append("corosync is running")
    found += [f"/etc/pve/nodes/{name}" for name in sorted(snapshot.other_directories)]
    return found


def _running_operation(snapshot: Snapshot) -> Classified | None:
    operation = snapshot.running_operation
    if operation in _STATE_OF_OPERATION:
        return Classified(_STATE_OF_OPERATION[operation], f"The unit baremetal-proxmox-{operation} is running.")
    for words in snapshot.foreign_commands.value or []:
        if "pvecm add " in words or ":clusterjoin:" in words:
            return Classified(NodeState.JOINING, f"Somebody else's join is running: {words}")
        if "pvecm create " in words or ":clustercreate:" in words:
            return Classified(NodeState.CREATING, f"Somebody else's creation is running: {words}")
    return None


def _without_pmxcfs(snapshot: Snapshot) -> Classified:
    if not snapshot.database.known:
        return Classified(NodeState.UNKNOWN, f"config.db: {snapshot.database.reason}")
    files_of_a_join = snapshot.authkey.present and snapshot.local_config.present
    if snapshot.database.absent:
        if files_of_a_join:
            return Classified(
                NodeState.JOIN_INTERRUPTED_DATABASE_DELETED, "pmxcfs does not run and its database is gone."
            )
        return Classified(NodeState.UNKNOWN, "pmxcfs does not run, it has no database, and nothing tells why.")
    if snapshot.database_holds_cluster.value is None:
        return Classified(
            NodeState.UNKNOWN, f"pmxcfs does not run; config.db: {snapshot.database_holds_cluster.reason}"
        )
    if snapshot.database_holds_cluster.value:
        return Classified(NodeState.UNKNOWN, "The node is a member whose pve-cluster service does not run; start it.")
    if files_of_a_join:
        return Classified(
            NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
            "/etc/corosync is written, pmxcfs was stopped, its database is there.",
        )
    return Classified(NodeState.UNKNOWN, "The node is standalone and its pve-cluster service does not run; start it.")


def _outside(snapshot: Snapshot, view: ClusterView | None) -> Classified:
    if not snapshot.authkey.known:
        return Classified(NodeState.UNKNOWN, f"/etc/corosync/authkey: {snapshot.authkey.reason}")
    if not snapshot.node_directories.known:
        return Classified(NodeState.UNKNOWN, f"/etc/pve/nodes: {snapshot.node_directories.reason}")
    found = leftovers(snapshot)
    written = snapshot.local_config.value
    if written is not None and written.node(snapshot.node_name) and len(written.nodes) > 1:
        return Classified(
            NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
            f"/etc/corosync/corosync.conf makes the node a member of '{written.cluster_name}', /etc/pve knows of nothing.",
        )
    stale = [name for name in found if name.startswith("/etc/pve/nodes/")]
    if len(found) > len(stale):
        return Classified(NodeState.STANDALONE_LEFTOVERS, f"Left over: {', '.join(found)}.")
    if stale:
        return Classified(NodeState.SEPARATED_STALE_NODES, f"Left over: {', '.join(stale)}.")
    if view is not None and view.lists(snapshot.node_name):
        return Classified(NodeState.ADDED_NOT_JOINED, f"{view.seen_from} lists the node as a member.")
    return Classified(NodeState.STANDALONE, "The node is in no cluster.")


def _inside(snapshot: Snapshot, config: CorosyncConfig, wanted: str | None, view: ClusterView | None) -> Classified:
    if wanted is not None and config.cluster_name != wanted:
        return Classified(
            NodeState.OTHER_CLUSTER, f"The node is in cluster '{config.cluster_name}', not in '{wanted}'."
        )
    if config.node(snapshot.node_name) is None:
        return Classified(
            NodeState.UNKNOWN, f"corosync.conf lists {', '.join(config.names) or 'nobody'}, but not this node."
        )
    if view is not None and view.config.cluster_name == config.cluster_name and not view.lists(snapshot.node_name):
        return Classified(NodeState.REMOVED_NOT_SEPARATED, f"{view.seen_from} no longer lists this node.")
    if snapshot.writable.value is None:
        return Classified(NodeState.UNKNOWN, f"Can /etc/pve be written? {snapshot.writable.reason}")
    if not _can_write(snapshot):
        return _read_only(snapshot, config)
    if snapshot.quorate is None:
        return Classified(NodeState.UNKNOWN, f"Quorum: {snapshot.quorum.reason}")
    if not snapshot.quorate:
        return Classified(NodeState.MEMBER_NOT_QUORATE, _votes(snapshot))
    stale = _stale_corosync(snapshot, config)
    if stale:
        return Classified(NodeState.MEMBER_STALE_COROSYNC, stale)
    if snapshot.disk_certificate.known and not (
        snapshot.disk_certificate.value is not None and snapshot.disk_certificate.value.has_key
    ):
        return Classified(NodeState.MEMBER_WITHOUT_CERTIFICATE, "The node's certificate or its key is missing.")
    if not snapshot.disk_certificate.known:
        return Classified(NodeState.UNKNOWN, f"The node's certificate: {snapshot.disk_certificate.reason}")
    return Classified(NodeState.MEMBER, f"{_votes(snapshot)} /etc/pve is writable.")


def _can_write(snapshot: Snapshot) -> bool:
    # The write bit may be a cached attribute; pmxcfs' own word is newer for a moment.
    membership = snapshot.membership.value
    return bool(snapshot.writable.value) and membership is not None and membership.quorate


def _read_only(snapshot: Snapshot, config: CorosyncConfig) -> Classified:
    if len(config.nodes) == 1:
        return Classified(NodeState.CREATED_NOT_QUORATE, _votes(snapshot))
    if snapshot.node_directories.known and snapshot.node_name not in (snapshot.node_directories.value or {}):
        # A member's database always has its own directory; one that was made afresh by a join has nothing yet.
        return Classified(NodeState.JOIN_INTERRUPTED_WAITING_QUORUM, f"{_votes(snapshot)} The database is still empty.")
    stale = _stale_corosync(snapshot, config)
    if stale:
        return Classified(NodeState.MEMBER_STALE_COROSYNC, stale)
    if snapshot.quorate:
        return Classified(NodeState.MEMBER_NOT_WRITABLE, f"{_votes(snapshot)} /etc/pve is still read-only.")
    return Classified(NodeState.MEMBER_NOT_QUORATE, _votes(snapshot))


def _stale_corosync(snapshot: Snapshot, config: CorosyncConfig) -> str:
    membership, written = snapshot.membership.value, snapshot.local_config.value
    if written is not None and written.config_version < config.config_version:
        return f"/etc/corosync has version {written.config_version}, the cluster has {config.config_version}."
    # Where corosync is down pmxcfs shows the version it last heard of, which proves nothing.
    if (
        snapshot.active("corosync.service")
        and membership is not None
        and membership.cluster_name is not None
        and membership.config_version < config.config_version
    ):
        return f"Corosync runs with version {membership.config_version}, the cluster has {config.config_version}."
    return ""


def _votes(snapshot: Snapshot) -> str:
    quorum = snapshot.quorum.value
    if quorum is None:
        return f"Corosync says nothing ({snapshot.quorum.reason})."
    word = "quorate" if quorum.quorate else "not quorate"
    return f"{quorum.total_votes} of {quorum.expected_votes} votes, {word}."
