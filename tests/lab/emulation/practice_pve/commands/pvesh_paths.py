# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "pvesh ls" shows of a path."""

from __future__ import annotations

from typing import Any

from practice_pve.rest.methods import Method, is_known, known_below


def children(method: Method, result: Any) -> list[str]:
    """Return the names below an index."""
    link = method.child_link or ""
    return sorted(str(entry[link]) for entry in result if isinstance(entry, dict) and link in entry)


def capabilities(path: str) -> str:
    """Return Drwcd with dashes: directory, get, set, create, delete."""
    readable = is_known("GET", path)
    text = ("D" if readable and known_below(path) else "-") + ("r" if readable else "-")
    for method, letter in (("PUT", "w"), ("POST", "c"), ("DELETE", "d")):
        text += letter if is_known(method, path) else "-"
    return text
