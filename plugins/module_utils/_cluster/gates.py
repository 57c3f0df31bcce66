# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold before a step that cannot easily be taken back. Every finding refuses, all are named at once.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, StateUnknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Wish


def refuse_bad_addresses(snapshot: Snapshot, wish: Wish) -> None:
    """C(pvecm create) takes any address with exit 0 and leaves a dead cluster behind."""
    for name, reading in (("own addresses", snapshot.local_addresses), ("own name", snapshot.own_addresses)):
        if reading.value is None:
            raise StateUnknown(f"The node's {name} could not be read: {reading.reason}.")
    local = {ipaddress.ip_address(address) for address in snapshot.local_addresses.value or []}
    problems = [
        f"the address {link.address} of link {link.number} is not configured on this node"
        for link in wish.links
        if ipaddress.ip_address(link.address) not in local
    ]
    own = [ipaddress.ip_address(address.partition("%")[0]) for address in snapshot.own_addresses.value or []]
    if not [address for address in own if not address.is_loopback and address in local]:
        resolved = ", ".join(map(str, own)) or "nothing"
        problems.append(f"the node's name {snapshot.node_name} resolves to {resolved}, not to an address of its own")
    if problems:
        raise Refused("; ".join(problems) + ".", "Correct the links or /etc/hosts on the node.")


def refuse_own_guests(snapshot: Snapshot) -> None:
    """PVE counts the guests of every directory, copies of other nodes too, and refuses the join (with exit 0)."""
    if not snapshot.node_directories.known:
        raise StateUnknown(f"The guests could not be read: {snapshot.node_directories.reason}")
    guests = [
        f"{name}: {', '.join(directory.guests)}"
        for name, directory in sorted((snapshot.node_directories.value or {}).items())
        if directory.guests
    ]
    if guests:
        raise Refused(
            f"A node with guests cannot join; found {'; '.join(guests)}.",
            "Move the guests to a backup and restore them after the join, or remove their configurations.",
        )


def refuse_unready_cluster(snapshot: Snapshot, wish: Wish, view: ClusterView) -> None:
    config, here = view.config, snapshot.node_name
    problems = []
    if wish.cluster_name is not None and config.cluster_name != wish.cluster_name:
        raise Refused(
            f"{view.seen_from} ({view.address}) is in cluster '{config.cluster_name}', not in '{wish.cluster_name}'.",
            "Correct seeds or cluster_name.",
        )
    if view.busy:
        problems.append(f"{view.seen_from} is changing its membership at this moment ({'; '.join(view.busy)})")
    own_entry = config.node(here)
    if own_entry is not None and own_entry.name in view.online:
        problems.append(f"another node of the name {here} is online in the cluster")
    if own_entry is not None and wish.method == "api":
        problems.append(
            f"the cluster already lists {here}, and a join over the API cannot take an entry over (method=ssh can)"
        )
    for link in wish.links:
        users = [name for name in config.users_of_address(link.address) if name.lower() != here.lower()]
        if users:
            problems.append(f"the address {link.address} of link {link.number} is used by {', '.join(users)}")
    if own_entry is not None and wish.links:
        wanted = {link.number: link.address for link in wish.links}
        if wanted != dict(own_entry.addresses):
            problems.append(f"the cluster already lists {here} with other addresses ({dict(own_entry.addresses)})")
    if wish.links and tuple(link.number for link in wish.links) != config.links:
        given = ", ".join(str(link.number) for link in wish.links)
        needed = ", ".join(map(str, config.links))
        problems.append(f"the cluster has link {needed}, but link {given} is given; every link must be given")
    if not wish.links and len(config.links) > 1:
        problems.append(f"the cluster has links {', '.join(map(str, config.links))}; give an address for each")
    strangers = sorted(name for name in view.never_seen if name != here and name not in wish.accounted_for)
    if strangers:
        problems.append(
            f"{', '.join(strangers)} is in the cluster's configuration but was never seen online: another join is under"
            " way, or one failed"
        )
    if problems:
        raise Refused(
            "; ".join(problems) + ".",
            "Finish or take back the other join, choose other names or addresses, or name members that are switched off"
            " on purpose in accounted_for.",
        )


def votes_to_expect(view: ClusterView, proven_away: set[str]) -> int | None:
    """How many votes C(pvecm expected) may be told, if that is provably safe; None if the cluster is quorate anyway.

    Safe means: every member that is not online is proven to be outside, so no second half of the cluster can be writing.
    """
    if view.quorate:
        return None
    unproven = [name for name in view.offline() if name not in proven_away]
    if unproven:
        raise Refused(
            f"The cluster has no quorum ({view.seen_from} sees {', '.join(sorted(view.online)) or 'nobody'}), and nothing"
            f" proves that {', '.join(unproven)} is not running.",
            "Bring the members back, or read them with proxmox_cluster_info / switch them off and name them in accounted_for.",
        )
    if view.config.qdevice_host is not None:
        raise Refused("The cluster has a qdevice and no quorum.", "Repair or remove the qdevice first.")
    return sum(node.votes for node in view.config.nodes if node.name in view.online)
