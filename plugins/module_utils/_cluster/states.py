# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states that a node can be in towards its cluster, each with what it means, the way forward and the way back.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    STANDALONE = "standalone"
    STANDALONE_LEFTOVERS = "standalone_leftovers"
    SEPARATED_STALE_NODES = "separated_stale_nodes"
    CREATING = "creating"
    JOINING = "joining"
    LEAVING = "leaving"
    CREATED_NOT_QUORATE = "created_not_quorate"
    MEMBER = "member"
    MEMBER_NOT_WRITABLE = "member_not_writable"
    MEMBER_NOT_QUORATE = "member_not_quorate"
    MEMBER_WAITING_FOR_JOINER = "member_waiting_for_joiner"
    MEMBER_WITHOUT_CERTIFICATE = "member_without_certificate"
    MEMBER_STALE_COROSYNC = "member_stale_corosync"
    JOIN_INTERRUPTED_FILES_WRITTEN = "join_interrupted_files_written"
    JOIN_INTERRUPTED_DATABASE_DELETED = "join_interrupted_database_deleted"
    JOIN_INTERRUPTED_WAITING_QUORUM = "join_interrupted_waiting_quorum"
    ADDED_NOT_JOINED = "added_not_joined"
    REMOVED_NOT_SEPARATED = "removed_not_separated"
    SEPARATION_INTERRUPTED = "separation_interrupted"
    OTHER_CLUSTER = "other_cluster"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Way:
    meaning: str
    forward: str
    back: str


_RUN_JOIN = "Run the join again (proxmox_cluster with state=joined)."
_RUN_LEAVE = "Run proxmox_cluster with state=standalone."

WAYS: dict[NodeState, Way] = {
    NodeState.STANDALONE: Way(
        "The node is in no cluster and holds no trace of one.",
        "It can create a cluster or join one.",
        "Nothing to take back.",
    ),
    NodeState.STANDALONE_LEFTOVERS: Way(
        "The node is in no cluster, but /etc/corosync holds files of one, or corosync runs.",
        "Creating or joining takes a copy of the files and removes them first.",
        _RUN_LEAVE,
    ),
    NodeState.SEPARATED_STALE_NODES: Way(
        "The node is in no cluster, but /etc/pve/nodes still has directories of other nodes.",
        "Creating or joining removes those without guest configurations first.",
        _RUN_LEAVE,
    ),
    NodeState.CREATING: Way(
        "The creation of a cluster is running on the node.",
        "The next run waits for its end.",
        "Wait for its end first.",
    ),
    NodeState.JOINING: Way(
        "A join is running on the node.", "The next run waits for its end.", "Wait for its end first."
    ),
    NodeState.LEAVING: Way(
        "The separation from the cluster is running on the node.",
        "The next run waits for its end.",
        "A separation is finished, not taken back; join again afterwards.",
    ),
    NodeState.CREATED_NOT_QUORATE: Way(
        "The node has made a cluster of itself that is not quorate: it needs some seconds, or its link address is wrong.",
        "Run the creation again: it starts corosync and waits.",
        _RUN_LEAVE,
    ),
    NodeState.MEMBER: Way("The node is a quorate member and can write.", "Nothing to do.", _RUN_LEAVE),
    NodeState.MEMBER_NOT_WRITABLE: Way(
        "Corosync is quorate, but /etc/pve cannot be written yet.",
        "Usually a matter of seconds; otherwise restart pve-cluster.",
        _RUN_LEAVE,
    ),
    NodeState.MEMBER_NOT_QUORATE: Way(
        "The node is a member without quorum; /etc/pve is read-only.",
        "Bring the missing members back, or remove those that are proven to be gone (proxmox_cluster_node, accounted_for).",
        _RUN_LEAVE,
    ),
    # Named by the preflight alone, which sees both sides.
    NodeState.MEMBER_WAITING_FOR_JOINER: Way(
        "The node lost its quorum to a join that never came to its end; /etc/pve is read-only.",
        "Run the join again: it tells the cluster first to expect fewer votes, since the joiner does not vote yet.",
        "Remove the joiner on this node (proxmox_cluster_node, accounted_for).",
    ),
    NodeState.MEMBER_WITHOUT_CERTIFICATE: Way(
        "The node is a quorate member, but the last step of its join was lost: it has no certificate of its own.",
        "Run the join again: it runs pvecm updatecerts and reloads pveproxy and pvedaemon.",
        _RUN_LEAVE,
    ),
    NodeState.MEMBER_STALE_COROSYNC: Way(
        "Corosync runs with an older configuration than the cluster's (as after two joins at once).",
        "Stop corosync on the node that waits for quorum, run this node's join again (it restarts corosync), then the other's.",
        _RUN_LEAVE,
    ),
    NodeState.JOIN_INTERRUPTED_FILES_WRITTEN: Way(
        "A join stopped after it had written /etc/corosync and before it deleted the node's database.",
        _RUN_JOIN + " It removes the files first.",
        _RUN_LEAVE,
    ),
    NodeState.JOIN_INTERRUPTED_DATABASE_DELETED: Way(
        "A join stopped after it had deleted the node's database and before pmxcfs was started again.",
        _RUN_JOIN + " It starts corosync and pmxcfs and makes the certificate, if the cluster still lists the node.",
        _RUN_LEAVE + " It restores the database from the join's own dump.",
    ),
    NodeState.JOIN_INTERRUPTED_WAITING_QUORUM: Way(
        "A join stopped while it waited for quorum: the node has an empty database and no connection to the members.",
        "Repair the network (UDP 5405 and up, both ways), then: " + _RUN_JOIN,
        _RUN_LEAVE + " It restores the database from the join's own dump.",
    ),
    NodeState.ADDED_NOT_JOINED: Way(
        "The cluster lists the node, but the node itself is standalone: a join stopped after the cluster had added it.",
        _RUN_JOIN,
        "Run proxmox_cluster with state=standalone and seeds, or proxmox_cluster_node on a member.",
    ),
    NodeState.REMOVED_NOT_SEPARATED: Way(
        "The cluster has removed the node, but the node still holds the cluster's old configuration.",
        _RUN_LEAVE,
        "Run the join again: it separates the node first.",
    ),
    NodeState.SEPARATION_INTERRUPTED: Way(
        "A separation from the cluster stopped half way.",
        _RUN_LEAVE + " It does all its steps again.",
        "A separation is finished, not taken back; join again afterwards.",
    ),
    NodeState.OTHER_CLUSTER: Way(
        "The node is a member of another cluster.",
        "Leave that cluster first, if that is really what you want.",
        "Nothing was touched.",
    ),
    NodeState.UNKNOWN: Way(
        "The state could not be read; nothing is done on a guess.",
        "Put right what could not be read, then run again.",
        "Nothing was touched.",
    ),
}
