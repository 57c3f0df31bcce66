# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What addnode and delnode make of the node list: pure decisions with PVE's refusals."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from practice_pve.cluster.corosync_config import MAX_LINK_INDEX, CorosyncConfig, Section, link_numbers
from practice_pve.cluster.links import Link
from practice_pve.rest.errors import ApiError


@dataclass
class Addition:
    """The parameters of one addnode call."""

    node: str
    links: dict[int, Link] = field(default_factory=dict)
    node_id: int | None = None
    votes: int | None = None
    force: bool = False
    new_node_ip: str | None = None
    api_version: int = 0


@dataclass(frozen=True)
class AdditionPlan:
    nodes: dict[str, Section]
    overwrites: bool


def plan_addition(config: CorosyncConfig, addition: Addition) -> AdditionPlan:
    """The new node list, or ApiError. The order of the checks decides which complaint the caller sees."""
    nodes = copy.deepcopy(config.nodes or {})
    for link in addition.links.values():
        _refuse_used_address(nodes, addition.node, str(link["address"]))
    links = _match_links(nodes, addition)
    node_id, votes, overwrites = _choose_identity(nodes, addition)
    entry: Section = {"name": addition.node, "nodeid": str(node_id)}
    if votes:
        entry["quorum_votes"] = str(votes)
    for number, link in links.items():
        entry[f"ring{number}_addr"] = str(link["address"])
    nodes[addition.node] = entry
    return AdditionPlan(nodes, overwrites)


def _refuse_used_address(nodes: dict[str, Section], new_node: str, address: str) -> None:
    # Only explicit links are looked at: an address given as new_node_ip may collide unnoticed, as on a real node.
    for name, node in nodes.items():
        if name == new_node:
            continue
        for number in range(MAX_LINK_INDEX + 1):
            if node.get(f"ring{number}_addr") == address:
                raise ApiError(
                    f"corosync: address '{address}' already used on link ring{number}_addr by node '{name}'\n"
                )


def _match_links(nodes: dict[str, Section], addition: Addition) -> dict[int, Link]:
    cluster_links = sorted(int(number) for number in link_numbers(next(iter(nodes.values()), {})))
    links = dict(addition.links)
    fallback = addition.new_node_ip
    legacy = not fallback and len(links) == 1 and addition.api_version == 0
    if legacy:
        # A joiner that speaks the old protocol (every --use_ssh join) names one link and means "my address".
        fallback = str(links.popitem()[1]["address"])
    if links:
        for number in range(MAX_LINK_INDEX + 1):
            if number in cluster_links and number not in links:
                raise ApiError(f"corosync: link {number} exists in cluster config but wasn't specified for new node\n")
            if number in links and number not in cluster_links:
                raise ApiError(f"corosync: link {number} specified for new node doesn't exist in cluster config\n")
        return links
    if not fallback:
        raise ApiError("no links and no fallback ip (new_node_ip) given, cannot join cluster\n")
    if len(cluster_links) == 1:
        return {cluster_links[0]: {"address": fallback}}
    if legacy:
        raise ApiError(
            f"cluster has {len(cluster_links)} links, but only 1 given"
            " at /usr/share/perl5/PVE/API2/ClusterConfig.pm line 375.\n"
        )
    raise ApiError(
        "no links given but multiple links found on other nodes, fallback only supported on single-link clusters\n"
    )


def _choose_identity(nodes: dict[str, Section], addition: Addition) -> tuple[int, int, bool]:
    existing = nodes.get(addition.node)
    if existing is not None:
        node_id = addition.node_id or int(existing["nodeid"])
        votes = int(existing.get("quorum_votes", 0)) if addition.votes is None else addition.votes
        same = int(existing.get("quorum_votes", 0)) == votes and int(existing["nodeid"]) == node_id
        if not (same and addition.force):
            raise ApiError(f"can't add existing node '{addition.node}'\n")
        return node_id, votes, True
    node_id = addition.node_id or 0
    if not node_id:
        used = {int(node["nodeid"]) for node in nodes.values()}
        node_id = next(number for number in range(1, len(used) + 2) if number not in used)
    return node_id, 1 if addition.votes is None else addition.votes, False


def find_member(config: CorosyncConfig, name_or_address: str) -> tuple[str, str | None]:
    """Name and node id of the member meant by delnode, which takes a name or an address of link 0 or 1."""
    nodes = config.nodes or {}
    for name, node in nodes.items():
        if name_or_address in (name, node.get("ring0_addr"), node.get("ring1_addr")):
            return name, node.get("nodeid")
    raise ApiError(
        f"Node/IP: {name_or_address} is not a known host of the cluster.\n",
        # The command ends with the errno of the last failed system call: ENOENT for the missing corosync.conf.
        exit_code=255 if config.main is not None else 2,
    )


def invalid_config_error(errors: list[str], warnings: list[str], exists: bool) -> ApiError:
    """The refusal of addnode when corosync.conf itself is wrong (or missing: a standalone node)."""
    details = {f"warning{number}": text for number, text in enumerate(warnings)}
    details.update({f"error{number}": text for number, text in enumerate(errors)})
    return ApiError("invalid corosync.conf\n", exit_code=255 if exists else 2, errors=details)
