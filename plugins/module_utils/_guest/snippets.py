# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snippets: files in a storage's directory. The API has no way to write one; being on the node has.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from pathlib import Path

from .._files import replace_text
from .._session.interface import Session, join_path
from .errors import Refused
from .storage_paths import content_directory


def snippet_path(session: Session, storage: str, name: str, node: str) -> Path:
    """C(node) is where the guest is."""
    if not session.node:
        raise Refused(
            "snippets: Proxmox VE's API cannot write them.",
            "Use transport: local, that is, run the module on the node over SSH.",
        )
    directory = content_directory(session, storage, "snippets", "snippets")
    if directory is None:
        raise Refused(f"snippets: the storage {storage} is no directory.", "Name one that is, for example local.")
    if node != session.node:
        status = session.get(join_path("nodes", session.node, "storage", storage, "status"))
        if str(status.get("shared", 0)) != "1":
            raise Refused(
                f"snippets: the guest is on {node}, and the storage {storage} of {session.node} is another directory.",
                f"Run the module on {node}, or use a shared storage.",
            )
    return directory / name


def read_snippet(session: Session, storage: str, name: str, node: str) -> str | None:
    try:
        return snippet_path(session, storage, name, node).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_snippet(session: Session, storage: str, name: str, node: str, content: str) -> None:
    path = snippet_path(session, storage, name, node)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(str(path), content, 0o644)
