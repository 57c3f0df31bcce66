# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a storage keeps the files of a content type, for those that live in a directory of this node.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._session.interface import Session, join_path
from .errors import Refused

#: Below the storage's path, unless its content-dirs say something else.
_DIRECTORIES = {"snippets": "snippets", "import": "import", "vztmpl": "template/cache", "iso": "template/iso"}


def content_directory(session: Session, storage: str, content: str, option: str) -> Path | None:
    """The directory; None for a storage that has none. A storage that does not take the content is refused."""
    found: dict[str, Any] = session.get(join_path("storage", storage))
    takes = str(found.get("content", "")).split(",")
    if content not in takes:
        raise Refused(
            f"{option}: the storage {storage} does not take {content}, only {', '.join(takes)}.",
            f"pvesm set {storage} --content {','.join([*takes, content])}",
        )
    if not found.get("path"):
        return None
    overrides = dict(part.split("=", 1) for part in str(found.get("content-dirs") or "").split(",") if "=" in part)
    return Path(str(found["path"])) / overrides.get(content, _DIRECTORIES[content]).lstrip("/")
