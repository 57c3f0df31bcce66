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
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView, view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.member_api import read_view
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Member


def find_view(wish: Wish, node_name: str, password: str) -> ClusterView | None:
    """None without seeds. A member without quorum is taken only when no better one answers; the planner judges it."""
    return choose_view(wish, node_name, lambda seed: _look(seed, wish, password)) if wish.seeds else None


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
    reading = Member(seed).read()
    return view_of(reading.value, seed) if reading.value is not None else unknown(reading.reason)
