# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managers of this node as the daemons call them: one round each, and how they end."""

from __future__ import annotations

from functools import cache

from practice_pve.ha.agent import ApiGuests
from practice_pve.ha.cluster_manager import ClusterManager
from practice_pve.ha.local_manager import LocalManager
from practice_pve.ha.node import Node


@cache
def crm() -> ClusterManager:
    """This node's cluster manager."""
    return ClusterManager(Node())


@cache
def lrm() -> LocalManager:
    """This node's local manager."""
    node = Node()
    return LocalManager(node, ApiGuests(node.nodename))


def crm_round() -> float | None:
    """One round of the cluster manager; seconds until the next, None at the end."""
    return crm().round()


def lrm_round() -> float | None:
    """One round of the local manager; seconds until the next, None at the end."""
    return lrm().round()
