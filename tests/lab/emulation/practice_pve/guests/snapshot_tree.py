# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`qm listsnapshot`: snapshots as a tree."""

from __future__ import annotations

import time
from collections import defaultdict

_COLUMNS = 30


def print_snapshot_tree(entries: list[dict]) -> None:
    """One line per snapshot, indented below its parent, `current` where it belongs."""
    names = {entry["name"] for entry in entries}
    children: dict[str, list[dict]] = defaultdict(list)
    for entry in entries:
        parent = str(entry.get("parent", ""))
        children[parent if parent in names else ""].append(entry)
    for root in _by_time(children[""]):
        _print_branch(root, children, "`->")


def _by_time(entries: list[dict]) -> list[dict]:
    return sorted(entries, key=lambda entry: (entry.get("snaptime", float("inf")), entry["name"]))


def _print_branch(entry: dict, children: dict[str, list[dict]], prefix: str) -> None:
    taken = entry.get("snaptime")
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(taken)) if taken else ""
    description = str(entry.get("description") or "no-description").split("\n")[-1]
    width = max(_COLUMNS - len(prefix), 0)
    print(f"{prefix} {entry['name']:<{width}} {when:<23} {description}")
    for child in _by_time(children[entry["name"]]):
        _print_branch(child, children, f" {prefix}")
