# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Votes and quorum, as C(pvecm status), C(pvecm nodes) and C(corosync-quorumtool) print them.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

# A value stands behind a colon and any number of blanks: "Quorate:          Yes".
_VALUE = re.compile(r"([A-Z][A-Za-z ]*):[ \t]*(.*)")
# Node ids are hexadecimal in `pvecm status` and decimal elsewhere. With a qdevice there is one column more; the
# device itself is listed as node 0 and that column is empty.
_ROW = re.compile(r"\s*(0x[0-9a-fA-F]+|\d+)\s+(\d+)\s+(?:([A-Z]+(?:,[A-Z]+)+|NR)\s+)?(\S+)( \(local\))?\s*")


@dataclass(frozen=True)
class Voter:
    node_id: int
    votes: int
    name: str
    local: bool = False
    qdevice_flags: str = ""


@dataclass(frozen=True)
class QuorumStatus:
    quorate: bool
    node_id: int
    expected_votes: int
    total_votes: int
    needed_votes: int
    ring_id: str = ""
    flags: tuple[str, ...] = ()
    voters: tuple[Voter, ...] = ()
    # Only `pvecm status` knows these two.
    cluster_name: str | None = None
    config_version: int | None = None

    @property
    def node_ids(self) -> frozenset[int]:
        return frozenset(voter.node_id for voter in self.voters if voter.node_id != 0)

    @property
    def qdevice_present(self) -> bool:
        return any(voter.node_id == 0 for voter in self.voters)


def parse_quorum_status(text: str) -> QuorumStatus:
    """C(pvecm status) or C(corosync-quorumtool -s). Whatever does not plainly say yes or no is refused."""
    values = {}
    for line in text.splitlines():
        matched = _VALUE.fullmatch(line.rstrip())
        if matched:
            values[matched[1].strip()] = matched[2].strip()
    quorate = values.get("Quorate")
    if quorate not in ("Yes", "No"):
        raise UnreadableText(f"The quorum status does not say whether the node is quorate (it says {quorate!r}).")
    return QuorumStatus(
        quorate=quorate == "Yes",
        node_id=_integer(values, "Node ID"),
        expected_votes=_integer(values, "Expected votes"),
        total_votes=_integer(values, "Total votes"),
        needed_votes=_integer(values, "Quorum"),
        ring_id=values.get("Ring ID", ""),
        flags=tuple(values.get("Flags", "").split()),
        voters=parse_voters(text),
        cluster_name=values.get("Name"),
        config_version=_integer(values, "Config Version") if "Config Version" in values else None,
    )


def parse_voters(text: str) -> tuple[Voter, ...]:
    """The membership table, alone (C(pvecm nodes), C(corosync-quorumtool -l)) or at the end of a status."""
    _before, heading, table = text.partition("Membership information")
    if not heading:
        raise UnreadableText("There is no membership table.")
    voters = []
    for line in table.splitlines():
        matched = _ROW.fullmatch(line)
        if matched:
            voters.append(
                Voter(int(matched[1], 0), int(matched[2]), matched[4], matched[5] is not None, matched[3] or "")
            )
    if not voters:
        raise UnreadableText("The membership table is empty.")
    return tuple(voters)


def _integer(values: dict[str, str], name: str) -> int:
    words = values.get(name, "").split()
    # "Quorum:           2 Activity blocked"
    if not words or not re.fullmatch(r"0x[0-9a-fA-F]+|\d+", words[0]):
        raise UnreadableText(f"The quorum status has no number for '{name}'.")
    return int(words[0], 0)
