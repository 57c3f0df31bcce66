# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a member through which a node can join, or be forgotten: the first one that is quorate and can write.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Unreachable
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView, view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.member_api import read_view
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Member, PendingReading


def ask_early(wish: Wish) -> PendingReading | None:
    """Ask the first seed while this node is still being read."""
    return Member(wish.seeds[0]).start_reading() if wish.seeds and wish.method == "ssh" else None


def find_view(wish: Wish, node_name: str, password: str, early: PendingReading | None = None) -> ClusterView | None:
    """None without seeds. A member without quorum is taken only when no better one answers; the planner judges it."""
    if not wish.seeds:
        return None

    def look(seed: str) -> Reading[ClusterView]:
        if early is not None and seed == wish.seeds[0]:
            return _seen(seed, early.finish())
        return _look(seed, wish, password)

    return choose_view(wish, node_name, look)


def choose_view(wish: Wish, node_name: str, look: Callable[[str], Reading[ClusterView]]) -> ClusterView:
    second_best: ClusterView | None = None
    refusals = []
    for seed in wish.seeds:
        seen = look(seed)
        view = seen.value
        if view is None:
            refusals.append(f"{seed}: {seen.reason}")
        elif view.seen_from.lower() == node_name.lower():
            refusals.append(f"{seed}: that is this node itself")
        elif wish.cluster_name is not None and view.config.cluster_name != wish.cluster_name:
            refusals.append(f"{seed}: is in cluster '{view.config.cluster_name}', not in '{wish.cluster_name}'")
        elif view.ready:
            return view
        else:
            second_best = second_best or view
    if second_best is None:
        raise Unreachable(
            f"No seed is a member that can be read. {'; '.join(refusals)}.",
            "The seed's root account must accept this node's /root/.ssh/id_rsa.pub, and its host key must be in"
            " /root/.ssh/known_hosts here under the address given in seeds.",
        )
    return second_best


def _look(seed: str, wish: Wish, password: str) -> Reading[ClusterView]:
    if wish.method == "api":
        return read_view(seed, password, wish.fingerprint)
    return _seen(seed, Member(seed).read())


def _seen(seed: str, reading: Reading[Snapshot]) -> Reading[ClusterView]:
    return view_of(reading.value, seed) if reading.value is not None else unknown(reading.reason)
