# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a storage cannot be as declared.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping


class StorageError(Exception):
    """Ends the work before anything was changed; C(nodes) has the reason of each node where nodes are the reason."""

    def __init__(self, message: str, remedy: str = "", nodes: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.remedy = remedy
        self.nodes = dict(nodes or {})
