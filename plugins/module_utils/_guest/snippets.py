# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snippets: files in a storage's directory. The API has no way to write one; being on the node has.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._files import replace_text
from .._session.interface import Session
from .errors import Refused


def snippet_path(session: Session, storage: str, name: str) -> Path:
    if not session.node:
        raise Refused(
            "snippets: Proxmox VE's API cannot write them.",
            "Use transport: local, that is, run the module on the node over SSH.",
        )
    found: dict[str, Any] = session.get(f"/storage/{storage}")
    content = str(found.get("content", "")).split(",")
    if "snippets" not in content:
        raise Refused(
            f"snippets: the storage {storage} does not take snippets, only {', '.join(content)}.",
            f"pvesm set {storage} --content {','.join([*content, 'snippets'])}",
        )
    if not found.get("path"):
        raise Refused(f"snippets: the storage {storage} is no directory.")
    return Path(str(found["path"])) / "snippets" / name


def read_snippet(session: Session, storage: str, name: str) -> str | None:
    try:
        return snippet_path(session, storage, name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_snippet(session: Session, storage: str, name: str, content: str) -> None:
    path = snippet_path(session, storage, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(str(path), content, 0o644)
