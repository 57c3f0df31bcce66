# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user wants of this node, checked before anything is read.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import HIGHEST_LINK
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused

LONGEST_CLUSTER_NAME = 15
_CLUSTER_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?")
_FINGERPRINT = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2}){31}")


@dataclass(frozen=True)
class Link:
    number: int
    address: str
    priority: int | None = None

    @property
    def option(self) -> list[str]:
        """The words of pvecm for this link. PVE's own text has it the wrong way round: the highest priority wins."""
        value = self.address if self.priority is None else f"{self.address},priority={self.priority}"
        return [f"--link{self.number}", value]


@dataclass(frozen=True)
class Wish:
    state: str
    cluster_name: str | None = None
    links: tuple[Link, ...] = ()
    votes: int | None = None
    node_id: int | None = None
    token_coefficient: int | None = None
    seeds: tuple[str, ...] = ()
    method: str = "ssh"
    fingerprint: str = ""
    accounted_for: tuple[str, ...] = ()
    founder_planned: bool = False
    forget_foreign_guests: bool = False
    ignore_active_ha: bool = False
    leave_members_behind: bool = False
    fresh_identity: bool = False
    backup: bool = True
    timeout: int = 180


def wish_of(params: Mapping[str, Any]) -> Wish:
    """Check the module's parameters; everything wrong with them is said at once."""
    problems: list[str] = []
    links = _links(params.get("links") or [], problems)
    name = params.get("cluster_name")
    if name is not None and not _CLUSTER_NAME.fullmatch(name):
        problems.append(f"cluster_name '{name}' may only have letters, digits and inner dashes")
    if name is not None and len(name) > LONGEST_CLUSTER_NAME:
        problems.append(f"cluster_name '{name}' has more than {LONGEST_CLUSTER_NAME} characters")
    fingerprint = (params.get("seed_fingerprint") or "").upper()
    if params["state"] == "joined" and params["method"] == "api":
        if not _FINGERPRINT.fullmatch(fingerprint):
            problems.append("seed_fingerprint must be the SHA-256 fingerprint of the seed's port 8006 (32 hex pairs)")
        if not params.get("seed_password"):
            problems.append("method=api needs seed_password")
        if len(params.get("seeds") or []) != 1:
            problems.append("method=api needs exactly one seed, the one whose fingerprint is given")
    if problems:
        raise Refused("; ".join(problems) + ".", "Correct the parameters; nothing was read or changed.")
    return Wish(
        state=params["state"],
        cluster_name=name,
        links=links,
        votes=params.get("votes"),
        node_id=params.get("node_id"),
        token_coefficient=params.get("token_coefficient"),
        seeds=tuple(params.get("seeds") or ()),
        method=params["method"],
        fingerprint=fingerprint,
        accounted_for=tuple(params.get("accounted_for") or ()),
        founder_planned=bool(params.get("founder_planned")),
        forget_foreign_guests=params.get("foreign_guests") == "forget",
        ignore_active_ha=params.get("active_ha") == "ignore",
        leave_members_behind=params.get("still_member") == "leave",
        fresh_identity=bool(params.get("fresh_identity")),
        backup=params.get("backup") is not False,
        timeout=params["timeout"],
    )


def _links(given: Sequence[Mapping[str, Any]], problems: list[str]) -> tuple[Link, ...]:
    links: list[Link] = []
    for position, entry in enumerate(given):
        number = position if entry.get("number") is None else entry["number"]
        priority = entry.get("priority")
        if not 0 <= number <= HIGHEST_LINK:
            problems.append(f"link number {number} is not between 0 and {HIGHEST_LINK}")
        if priority is not None and not 0 <= priority <= 255:
            problems.append(f"priority {priority} of link {number} is not between 0 and 255")
        try:
            ipaddress.ip_address(entry["address"])
        except ValueError:
            # PVE takes a name as well, but resolves it only when corosync starts, and then it is too late.
            problems.append(f"the address '{entry['address']}' of link {number} is no IP address")
        links.append(Link(number, entry["address"], priority))
    numbers = [link.number for link in links]
    addresses = [link.address for link in links]
    if len(set(numbers)) < len(numbers) or len(set(addresses)) < len(addresses):
        problems.append("each link needs its own number and its own address")
    return tuple(sorted(links, key=lambda link: link.number))
