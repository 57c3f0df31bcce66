# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose tree wins when members meet, and what the others lack."""

from __future__ import annotations

from collections.abc import Sequence

from practice_pve.pmxcfs.entry import Index


def select_leader(indexes: Sequence[Index]) -> int:
    """The highest version, then the newest last write; the first such member (they are sorted by node id) else."""
    return max(range(len(indexes)), key=lambda i: (indexes[i].version, indexes[i].mtime, -i))


def missing_inodes(leader: Index, others: Sequence[Index]) -> list[int]:
    """Inodes of the leader's tree that at least one other member has not, or has differently."""
    shared = set(leader.entries)
    for other in others:
        shared &= set(other.entries)
    return [inode for inode, digest in leader.entries if (inode, digest) not in shared]
