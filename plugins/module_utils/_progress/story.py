# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run stands: which node works at what since when, and what became of it. Pure; the times come from outside.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Mark(Enum):
    """What became of a task on a node, or of a node at the end. The order is that of the lines of a task."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    STOPPED = "stopped"


@dataclass
class NodeState:
    """One node's part in the run."""

    name: str
    activity: str = ""
    busy_since: float | None = None
    last: Mark | None = None
    items: int = 0
    trouble: str = ""


@dataclass
class TaskState:
    """The task at hand."""

    name: str
    started: float
    ended: dict[str, Mark] = field(default_factory=dict)

    def hosts_by_mark(self) -> dict[Mark, list[str]]:
        """Who ended how; who had nothing to do is not told."""
        found: dict[Mark, list[str]] = {}
        for mark in Mark:
            hosts = [host for host, ended in self.ended.items() if ended is mark]
            if hosts and mark is not Mark.SKIPPED:
                found[mark] = hosts
        return found


@dataclass(frozen=True)
class Bar:
    """So many of so many: joins, or the nodes that are through with a task."""

    done: int
    total: int
    of_joins: bool = False


@dataclass
class RunStory:
    """All that the lines on the screen are made of."""

    nodes: dict[str, NodeState] = field(default_factory=dict)
    heading: str = ""
    task: TaskState | None = None
    joins: Bar | None = None

    def begin_play(self, name: str, hosts: list[str]) -> None:
        self.heading = name
        self.task = None
        for host in hosts:
            self.nodes.setdefault(host, NodeState(host))

    def begin_task(self, name: str, now: float) -> None:
        self.task = TaskState(name, now)

    def begin_on_host(self, host: str, activity: str, now: float) -> None:
        node = self.nodes.setdefault(host, NodeState(host))
        node.activity, node.busy_since, node.items = activity, now, 0

    def end_item(self, host: str) -> None:
        self.nodes.setdefault(host, NodeState(host)).items += 1

    def end_on_host(self, host: str, mark: Mark, trouble: str = "") -> None:
        node = self.nodes.setdefault(host, NodeState(host))
        node.busy_since = None
        node.trouble = trouble or node.trouble
        if mark is not Mark.SKIPPED:
            node.last = mark
        if self.task is not None:
            self.task.ended[host] = mark

    def hear(self, message: str, values: Mapping[str, object]) -> None:
        """A message of the collection, as the task that said it returned it."""
        if message == "phase_4":
            position, count = str(values.get("position", "")), str(values.get("count", ""))
            if position.isdigit() and count.isdigit():
                self.joins = Bar(int(position) - 1, int(count), of_joins=True)
        elif message == "phase_4_done" and self.joins is not None:
            self.joins = Bar(self.joins.done + 1, self.joins.total, of_joins=True)
        elif message.startswith("phase_"):
            self.joins = None

    def busy(self) -> list[NodeState]:
        """Who works, the longest first."""
        working = [node for node in self.nodes.values() if node.busy_since is not None]
        return sorted(working, key=lambda node: node.busy_since or 0.0)

    def progress(self) -> Bar | None:
        """The joins while nodes join, else the nodes that are through with the task, where there are several."""
        if self.joins is not None:
            return self.joins
        if self.task is None:
            return None
        total = len(self.task.ended) + len(self.busy())
        return Bar(len(self.task.ended), total) if total > 1 else None


def judge_node(summary: Mapping[str, int], stopped_early: bool) -> Mark:
    """A node's mark at the end, from Ansible's own counts. C(stopped_early): the run ended before its last play."""
    if summary.get("unreachable"):
        return Mark.UNREACHABLE
    if summary.get("failures"):
        return Mark.FAILED
    if stopped_early:
        return Mark.STOPPED
    if summary.get("ignored"):
        return Mark.IGNORED
    return Mark.CHANGED if summary.get("changed") else Mark.OK
