# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees for tests: on disk as a node has them, without a daemon, and a process group without corosync."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from practice_pve.pmxcfs.corosync_library import MemberId
from practice_pve.pmxcfs.database import Database
from practice_pve.pmxcfs.process_group import ProcessGroup
from practice_pve.pmxcfs.replicated_tree import ReplicatedTree
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import Tree


@pytest.fixture
def status() -> Status:
    return Status("pve1", "10.99.0.11")


@pytest.fixture
def open_tree(tmp_path: Path, status: Status) -> Callable[[], Tree]:
    def open_again() -> Tree:
        return Tree(Database(str(tmp_path / "config.db")), status.guests, status.note_change, status.note_reload)

    return open_again


@pytest.fixture
def tree(open_tree: Callable[[], Tree]) -> Tree:
    tree = open_tree()
    for path in (
        "nodes",
        "nodes/pve1",
        "nodes/pve1/qemu-server",
        "nodes/pve1/lxc",
        "nodes/pve2",
        "nodes/pve2/qemu-server",
        "priv",
        "priv/lock",
    ):
        tree.make_directory(path, 0, 1000)
    return tree


class Link:
    """One member's way to all members of its partition."""

    def __init__(self, bus: Bus, member: MemberId) -> None:
        self._bus = bus
        self._member = member

    def send(self, message: bytes) -> None:
        self._bus.sent.append((self._member, message))


class Bus:
    """Totally ordered messages between members in one test process."""

    def __init__(self, directory: Path) -> None:
        self.sent: deque[tuple[MemberId, bytes]] = deque()
        self.groups: dict[MemberId, ProcessGroup] = {}
        self.trees: dict[MemberId, Tree] = {}
        self.statuses: dict[MemberId, Status] = {}
        self._directory = directory

    def add(self, node_id: int) -> MemberId:
        member = MemberId(node_id, 100 + node_id)
        status = Status(f"pve{node_id}", f"10.99.0.1{node_id}")
        status.set_quorate(True, quiet=True)
        database = Database(str(self._directory / f"{node_id}.db"))
        tree = Tree(database, status.guests, status.note_change, status.note_reload)
        group = ProcessGroup(ReplicatedTree(tree, status), "dcdb")
        group.connected(Link(self, member), member)
        self.groups[member], self.trees[member], self.statuses[member] = group, tree, status
        return member

    def meet(self, *members: MemberId, joined: bool = True) -> None:
        """These form a group now; everything that follows from it is delivered."""
        for member in members:
            self.groups[member].on_change(sorted(members), joined)
        self.deliver(*members)

    def deliver(self, *members: MemberId) -> None:
        while self.sent:
            sender, message = self.sent.popleft()
            for member in members:
                self.groups[member].on_message(sender, message)


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path)
