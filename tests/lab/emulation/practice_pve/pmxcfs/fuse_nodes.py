# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node numbers, as the kernel knows files, and the paths they stand for.

A number stands for a name, not for an entry of the tree: when another member replaces a file, the open number
simply shows the new content. That is how the real one behaves, because libfuse works with paths.
"""

from __future__ import annotations

import errno
import threading
from dataclasses import dataclass, field

from practice_pve.pmxcfs.fuse_protocol import ROOT_ID
from practice_pve.pmxcfs.tree import TreeError


@dataclass(slots=True)
class Node:
    node_id: int
    parent: Node | None
    name: str | None  # None: deleted, only the number is left
    lookups: int = 0
    opened: int = 0
    hidden: bool = False
    children: dict[str, Node] = field(default_factory=dict)


class NodeTable:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        root = Node(ROOT_ID, None, "")
        self._nodes = {ROOT_ID: root}
        self._next_id = ROOT_ID + 1
        self._hidden_counter = 0

    def path(self, node_id: int, name: str | None = None) -> str:
        with self._lock:
            parts = [] if name is None else [name]
            node: Node | None = self._nodes.get(node_id)
            while node is None or node.node_id != ROOT_ID:
                if node is None or node.name is None:
                    raise TreeError(errno.ENOENT)
                parts.append(node.name)
                node = node.parent
            return "/".join(reversed(parts))

    def look_up(self, parent_id: int, name: str) -> int:
        """The kernel has been told of this name once more."""
        with self._lock:
            parent = self._nodes[parent_id]
            node = parent.children.get(name)
            if node is None:
                node = Node(self._next_id, parent, name)
                self._next_id += 1
                self._nodes[node.node_id] = parent.children[name] = node
            node.lookups += 1
            return node.node_id

    def forget(self, node_id: int, count: int) -> None:
        with self._lock:
            node = self._nodes.get(node_id)
            if node is None or node_id == ROOT_ID:
                return
            node.lookups -= count
            self._drop_unused(node)

    def _drop_unused(self, node: Node | None) -> None:
        while node is not None and node.node_id != ROOT_ID:
            if node.lookups > 0 or node.opened or node.children:
                return
            self._unhash(node)
            self._nodes.pop(node.node_id, None)
            node = node.parent

    @staticmethod
    def _unhash(node: Node) -> None:
        if node.name is not None and node.parent is not None and node.parent.children.get(node.name) is node:
            del node.parent.children[node.name]

    def removed(self, parent_id: int, name: str) -> None:
        with self._lock:
            parent = self._nodes.get(parent_id)
            node = parent.children.pop(name, None) if parent is not None else None
            if node is not None:
                node.name = None

    def renamed(self, parent_id: int, name: str, new_parent_id: int, new_name: str, hide: bool = False) -> None:
        with self._lock:
            node = self._nodes[parent_id].children.pop(name, None)
            self.removed(new_parent_id, new_name)
            if node is not None:
                old_parent, new_parent = node.parent, self._nodes[new_parent_id]
                node.parent, node.name, node.hidden = new_parent, new_name, hide
                new_parent.children[new_name] = node
                self._drop_unused(old_parent)

    def open(self, node_id: int) -> None:
        with self._lock:
            self._nodes[node_id].opened += 1

    def close(self, node_id: int) -> str | None:
        """Path of a hidden file that nobody uses any more and that can go now."""
        with self._lock:
            node = self._nodes.get(node_id)
            if node is None:
                return None
            node.opened -= 1
            if node.hidden and not node.opened and node.name is not None:
                path = self.path(node_id)
                self._unhash(node)
                node.name = None
                return path
            self._drop_unused(node)
            return None

    def is_open(self, parent_id: int, name: str) -> bool:
        with self._lock:
            parent = self._nodes.get(parent_id)
            node = parent.children.get(name) if parent is not None else None
            return node is not None and node.opened > 0

    def hidden_name(self, parent_id: int, name: str) -> str:
        with self._lock:
            self._hidden_counter += 1
            node_id = self._nodes[parent_id].children[name].node_id
            return f".fuse_hidden{node_id:08x}{self._hidden_counter:08x}"
