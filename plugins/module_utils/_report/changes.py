# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is different between two reports, in sentences. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.document import FORMAT

Document = Mapping[str, Any]
# How a node is silent differs from try to try; that it is silent is the finding.
SILENCES = ("no_answer", "unreachable")


def compare_documents(before: Document | None, after: Document) -> list[str] | None:
    """Null where there is nothing to compare with: no earlier report, or one of another format."""
    if before is None or before.get("format") != FORMAT:
        return None
    return [
        *_cluster_changes(before, after),
        *_node_changes(_by_name(before["nodes"]), _by_name(after["nodes"])),
        *_guest_changes({guest["vmid"]: guest for guest in before["guests"]}, after["guests"]),
        *_finding_changes(before["findings"], after["findings"]),
    ]


def _cluster_changes(before: Document, after: Document) -> list[str]:
    words = {
        "name": "The cluster's name",
        "quorate": "Quorate",
        "writable": "Writable",
        "total_votes": "Votes",
        "expected_votes": "Expected votes",
        "qdevice": "Quorum device",
        "config_version": "Version of the configuration",
    }
    pairs = [(label, before["cluster"].get(key), after["cluster"].get(key)) for key, label in words.items()]
    pairs.append(("HA master", before["ha"].get("master"), after["ha"].get("master")))
    return [f"{label}: {_word(old)}, now {_word(new)}." for label, old, new in pairs if old != new]


def _node_changes(before: Mapping[str, Document], after: Mapping[str, Document]) -> list[str]:
    changes = [f"Node {name} is new." for name in after if name not in before]
    changes += [f"Node {name} is gone." for name in before if name not in after]
    for name in (name for name in after if name in before):
        old, new = before[name], after[name]
        if old["online"] != new["online"]:
            changes.append(f"Node {name} went {'online' if new['online'] else 'offline'}.")
        if old["state"] != new["state"]:
            changes.append(f"Node {name}: {_word(old['state'])}, now {_word(new['state'])}.")
        if old["addresses"] != new["addresses"]:
            changes.append(f"Node {name}: {_list(old['addresses'])}, now {_list(new['addresses'])}.")
        lost, regained = _link_changes(old["links"], new["links"])
        changes += [f"Node {name} lost link {number} to {other}." for other, number in lost]
        changes += [f"Node {name} has link {number} to {other} again." for other, number in regained]
    return changes


def _link_changes(before: Sequence[Document], after: Sequence[Document]) -> tuple[list[Any], list[Any]]:
    states = [{(link["to"], link["number"]): link["connected"] for link in links} for links in (before, after)]
    changed = sorted(key for key, connected in states[1].items() if states[0].get(key, connected) != connected)
    return [key for key in changed if not states[1][key]], [key for key in changed if states[1][key]]


def _guest_changes(before: Mapping[int, Document], guests: Sequence[Document]) -> list[str]:
    after = {guest["vmid"]: guest for guest in guests}
    changes = [
        f"{_title(after[vmid])} is new, on {_word(after[vmid]['node'])}." for vmid in after if vmid not in before
    ]
    changes += [f"{_title(before[vmid])} is gone." for vmid in before if vmid not in after]
    for vmid in (vmid for vmid in after if vmid in before):
        old, new = before[vmid], after[vmid]
        title = _title(new)
        if old["node"] != new["node"]:
            changes.append(f"{title} moved from {_word(old['node'])} to {_word(new['node'])}.")
        for what, was, is_now in (
            ("", old["status"], new["status"]),
            (" agent", (old["agent"] or {}).get("reason"), (new["agent"] or {}).get("reason")),
            (" addresses", _list(old["addresses"]), _list(new["addresses"])),
        ):
            if was != is_now:
                changes.append(f"{title}{what}: {_word(was)}, now {_word(is_now)}.")
    return changes


def _finding_changes(before: Sequence[Document], after: Sequence[Document]) -> list[str]:
    old, new = ({_identity(finding): finding for finding in findings} for findings in (before, after))
    changes = [f"New finding [{new[key]['code']}]: {new[key]['text']}" for key in sorted(set(new) - set(old))]
    return changes + [f"Solved [{old[key]['code']}]: {old[key]['text']}" for key in sorted(set(old) - set(new))]


def _identity(finding: Document) -> tuple[str, str]:
    return finding["code"], finding["where"] if finding["code"] in SILENCES else finding["text"]


def _by_name(nodes: Sequence[Document]) -> dict[str, Document]:
    return {node["name"]: node for node in nodes}


def _title(guest: Document) -> str:
    return f"{guest['name'] or guest['kind']} ({guest['vmid']})"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == "" else str(value)


def _list(values: Sequence[str]) -> str:
    return " ".join(values) or "no address"
