# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as its API shows it, for a join that goes over HTTPS.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import (
    CorosyncConfig,
    CorosyncNode,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import membership_of_status
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView


def view_of_api(
    address: str, status: Sequence[Mapping[str, Any]], nodes: Sequence[Mapping[str, Any]], totem: Mapping[str, Any]
) -> ClusterView:
    """C(GET /cluster/status), C(/cluster/config/nodes) and C(/cluster/config/totem). Numbers come as strings here."""
    membership = membership_of_status([dict(entry) for entry in status])
    if membership.cluster_name is None:
        raise UnreadableText(f"{address} is in no cluster.")
    try:
        config = CorosyncConfig(
            cluster_name=str(totem["cluster_name"]),
            config_version=int(totem["config_version"]),
            nodes=tuple(
                CorosyncNode(
                    name=str(entry["name"]),
                    node_id=int(entry["nodeid"]),
                    votes=int(entry.get("quorum_votes", 1)),
                    addresses={
                        int(matched[1]): str(value)
                        for key, value in entry.items()
                        if (matched := re.fullmatch(r"ring([0-7])_addr", key))
                    },
                )
                for entry in nodes
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableText(f"The API of {address} describes its cluster in an unknown form: {error!r}.") from error
    online = frozenset(membership.online)
    return ClusterView(
        seen_from=membership.node_name,
        address=address,
        config=config,
        quorate=membership.quorate,
        writable=None,
        online=online,
        never_seen=frozenset(
            name for name in config.names if name not in online and not membership.members[name].address
        )
        if all(name in membership.members for name in config.names)
        else frozenset(set(config.names) - online),
    )
