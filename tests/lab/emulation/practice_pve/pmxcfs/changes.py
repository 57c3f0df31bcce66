# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change gets into the tree: directly on a standalone node. (Members of a cluster: replicated_tree.py.)"""

from __future__ import annotations

import time
from typing import Protocol

from practice_pve.pmxcfs.entry import Entry
from practice_pve.pmxcfs.paths import is_lock_directory
from practice_pve.pmxcfs.tree import Tree, TreeError


class Changes(Protocol):
    """Every method raises TreeError with the errno for the caller."""

    def create(self, path: str) -> None: ...
    def make_directory(self, path: str) -> None: ...
    def write(self, path: str, data: bytes, offset: int) -> int: ...
    def truncate(self, path: str, size: int) -> None: ...
    def delete(self, path: str) -> None: ...
    def rename(self, source: str, target: str) -> None: ...
    def set_mtime(self, path: str, mtime: int) -> None: ...


def asks_for_unlock(entry: Entry | None, path: str, mtime: int) -> bool:
    return entry is not None and mtime == 0 and entry.is_directory and is_lock_directory(path)


class LocalChanges:
    WRITER = 0

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def create(self, path: str) -> None:
        self._tree.create(path, self.WRITER, int(time.time()))

    def make_directory(self, path: str) -> None:
        self._tree.make_directory(path, self.WRITER, int(time.time()))

    def write(self, path: str, data: bytes, offset: int) -> int:
        return self._tree.write(path, self.WRITER, int(time.time()), data, offset)

    def truncate(self, path: str, size: int) -> None:
        self._tree.write(path, self.WRITER, int(time.time()), b"", size, truncate=True)

    def delete(self, path: str) -> None:
        self._tree.delete(path, self.WRITER, int(time.time()))

    def rename(self, source: str, target: str) -> None:
        self._tree.rename(source, target, self.WRITER, int(time.time()))

    def set_mtime(self, path: str, mtime: int) -> None:
        entry = self._tree.find(path)
        asked = entry is not None and asks_for_unlock(entry, path, mtime)
        if entry is not None and asked and self._tree.locks.expired(path, entry.digest()):
            self._tree.delete(path, self.WRITER, int(time.time()))
            return
        self._tree.set_mtime(path, self.WRITER, mtime)


__all__ = ["Changes", "LocalChanges", "TreeError", "asks_for_unlock"]
