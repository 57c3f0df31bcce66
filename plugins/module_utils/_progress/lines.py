# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that show where a run stands: those at the foot of a terminal, and those that stay. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.story import Bar, Mark, NodeState, RunStory
from ansible_collections.baremetal.proxmox.plugins.module_utils._words.progress import MARKS, say

SIGNS = {
    Mark.OK: "✓",
    Mark.CHANGED: "✎",
    Mark.SKIPPED: "-",
    Mark.IGNORED: "!",
    Mark.FAILED: "✗",
    Mark.UNREACHABLE: "✗",
    Mark.STOPPED: "-",
}
BAR_WIDTH = 20
MANY_HOSTS = 6


def compose_foot(story: RunStory, now: float, language: str, columns: int, rows: int) -> list[str]:
    """What is drawn at the foot of the screen: where the run is, then a line per node, as many as there is room for.

    More nodes than lines: those that work come first, the longest at the top, and the rest are counted.
    """
    lines = [_head(story, now, language)]
    nodes = list(story.nodes.values())
    if len(nodes) > rows - 1:
        busy = story.busy()
        nodes = busy[: max(rows - 2, 0)]
    width = max((len(node.name) for node in nodes), default=0)
    waited_for = [node.name for node in story.busy()]
    lines += [f"  {node.name:<{width}}  {_activity(node, waited_for, now, language)}" for node in nodes]
    hidden = len(story.nodes) - len(nodes)
    if hidden:
        lines.append(f"  {say('more_nodes', language, count=hidden)}")
    return [cut(line, columns) for line in lines]


def _head(story: RunStory, now: float, language: str) -> str:
    title = story.task.name if story.task else story.heading
    since = f"  {duration(now - story.task.started)}" if story.task else ""
    progress = story.progress()
    return f"{draw_bar(progress, language)}  {title}{since}" if progress else f"{title}{since}"


def draw_bar(progress: Bar, language: str) -> str:
    filled = BAR_WIDTH * progress.done // progress.total if progress.total else 0
    what = say("joins" if progress.of_joins else "nodes", language)
    return f"[{'█' * filled}{'·' * (BAR_WIDTH - filled)}] {progress.done}/{progress.total} {what}"


def _activity(node: NodeState, waited_for: Sequence[str], now: float, language: str) -> str:
    if node.busy_since is not None:
        items = f", {say('items', language, count=node.items)}" if node.items else ""
        return f"… {node.activity}{items}  {duration(now - node.busy_since)}"
    if node.last in (Mark.FAILED, Mark.UNREACHABLE):
        return f"{SIGNS[node.last]} {MARKS[node.last][language]}"
    if waited_for:
        return (
            f"{SIGNS[node.last or Mark.SKIPPED]} {say('waits_for', language, nodes=name_hosts(waited_for, language))}"
        )
    return SIGNS[node.last or Mark.SKIPPED]


def summarize_task(story: RunStory, now: float, language: str) -> list[tuple[Mark, str]]:
    """The lines that stay when a task is over, one per way in which it ended."""
    task = story.task
    if task is None:
        return []
    seconds = duration(now - task.started)
    order = list(story.nodes)
    return [
        (
            mark,
            f"{result_line(mark, task.name, name_hosts(sorted(hosts, key=order.index), language), language)} ({seconds})",
        )
        for mark, hosts in task.hosts_by_mark().items()
    ]


def result_line(mark: Mark, task_name: str, hosts: str, language: str) -> str:
    width = max(len(words[language]) for mark, words in MARKS.items() if mark is not Mark.STOPPED)
    return f"  {SIGNS[mark]} {MARKS[mark][language]:<{width}} {task_name}: {hosts}"


def name_hosts(hosts: Sequence[str], language: str) -> str:
    return ", ".join(hosts) if len(hosts) <= MANY_HOSTS else say("many_nodes", language, count=len(hosts))


def duration(seconds: float) -> str:
    """Seconds up to a minute, then minutes and seconds."""
    whole = max(int(seconds), 0)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: max(columns - 1, 0)] + "…"
