# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members that lost their quorum to a join which never came to its end: others can be seen to be no running members. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.subject import Subject

# A node that was read in one of these does not vote, whatever the cluster's configuration says of it.
_NO_VOTERS = {
    NodeState.STANDALONE,
    NodeState.STANDALONE_LEFTOVERS,
    NodeState.SEPARATED_STALE_NODES,
    NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
    NodeState.JOIN_INTERRUPTED_DATABASE_DELETED,
    NodeState.JOIN_INTERRUPTED_WAITING_QUORUM,
}


def name_waiting_members(subjects: Sequence[Subject]) -> list[Subject]:
    """Only where each absent member was read: one that is silent may be the other half of the cluster."""
    outside = {subject.node_name.lower() for subject in subjects if subject.classified.state in _NO_VOTERS}
    return [_named(subject, outside) for subject in subjects]


def _named(subject: Subject, outside: set[str]) -> Subject:
    if subject.classified.state is not NodeState.MEMBER_NOT_QUORATE:
        return subject
    view = view_of(subject.snapshot, "").value
    absent = view.offline() if view is not None else []
    if not absent or not {name.lower() for name in absent} <= outside:
        return subject
    reason = f"{subject.classified.reason} {', '.join(absent)} was read and is no running member."
    return replace(subject, classified=Classified(NodeState.MEMBER_WAITING_FOR_JOINER, reason))
