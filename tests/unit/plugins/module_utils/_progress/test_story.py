# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run stands, from what Ansible tells of it."""

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.lines import (
    compose_foot,
    cut,
    duration,
    summarize_task,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.story import Bar, Mark, RunStory, judge_node
from ansible_collections.baremetal.proxmox.plugins.module_utils._words.progress import describe_activity

NODES = ["pve1", "pve2", "pve3"]


@pytest.fixture
def story() -> RunStory:
    """pve1 is through with the task, the others work at it."""
    story = RunStory()
    story.begin_play("Phase 2", [])
    story.begin_task("Look", 100.0)
    for number, node in enumerate(NODES):
        story.begin_on_host(node, "is looked at", 100.0 + number)
    story.end_on_host("pve1", Mark.OK)
    return story


def test_each_node_tells_what_it_waits_for_and_since_when(story: RunStory):
    assert compose_foot(story, 112.0, "en", 100, 10) == [
        "[██████··············] 1/3 nodes  Look  12 s",
        "  pve1  ✓ waits for pve2, pve3",
        "  pve2  … is looked at  11 s",
        "  pve3  … is looked at  10 s",
    ]


def test_in_french(story: RunStory):
    foot = compose_foot(story, 175.0, "fr", 100, 10)
    assert foot[0] == "[██████··············] 1/3 nœuds  Look  1 min 15 s"
    assert foot[1] == "  pve1  ✓ attend pve2, pve3"


def test_more_nodes_than_lines_leaves_those_that_take_longest():
    story = RunStory()
    story.begin_task("Install the agent", 0.0)
    for number in range(40):
        story.begin_on_host(f"web{number}", "works", float(40 - number))
    for number in range(10):
        story.end_on_host(f"web{number}", Mark.CHANGED)
    foot = compose_foot(story, 60.0, "en", 80, 4)
    assert foot == [
        "[█████···············] 10/40 nodes  Install the agent  1 min 00 s",
        "  web39  … works  59 s",
        "  web38  … works  58 s",
        "  and 38 more nodes",
    ]


def test_the_joins_have_a_bar_of_their_own(story: RunStory):
    story.hear("phase_4", {"node": "pve2", "position": "1", "count": "2"})
    assert story.progress() == Bar(0, 2, of_joins=True)
    story.hear("phase_4_done", {"node": "pve2"})
    assert story.progress() == Bar(1, 2, of_joins=True)
    assert compose_foot(story, 101.0, "en", 100, 10)[0].startswith("[██████████··········] 1/2 joined")
    story.hear("phase_5", {})
    assert story.progress() == Bar(1, 3)


def test_a_node_that_failed_says_so_while_the_others_go_on(story: RunStory):
    story.end_on_host("pve2", Mark.UNREACHABLE, "Look: no answer")
    assert compose_foot(story, 103.0, "en", 100, 10)[2] == "  pve2  ✗ unreachable"
    assert story.nodes["pve2"].trouble == "Look: no answer"


def test_items_are_counted(story: RunStory):
    story.end_item("pve2")
    story.end_item("pve2")
    assert "is looked at, 2 items done" in compose_foot(story, 103.0, "en", 100, 10)[2]


def test_what_stays_of_a_task(story: RunStory):
    story.end_on_host("pve3", Mark.CHANGED)
    story.end_on_host("pve2", Mark.OK)
    assert summarize_task(story, 104.0, "en") == [
        (Mark.OK, "  ✓ ok          Look: pve1, pve2 (4 s)"),
        (Mark.CHANGED, "  ✎ changed     Look: pve3 (4 s)"),
    ]


def test_nothing_stays_of_a_task_that_was_skipped(story: RunStory):
    for node in NODES:
        story.end_on_host(node, Mark.SKIPPED)
    assert summarize_task(story, 104.0, "en") == []


@pytest.mark.parametrize(
    ("summary", "stopped_early", "mark"),
    [
        ({"ok": 3}, False, Mark.OK),
        ({"ok": 3, "changed": 1}, False, Mark.CHANGED),
        ({"ok": 3, "changed": 1, "failures": 1}, True, Mark.FAILED),
        ({"unreachable": 1}, True, Mark.UNREACHABLE),
        # It did nothing wrong, but it is not through either.
        ({"ok": 3, "changed": 1}, True, Mark.STOPPED),
        ({"ok": 3, "rescued": 1}, False, Mark.OK),
        # What was ignored is no success.
        ({"ok": 3, "changed": 1, "ignored": 1}, False, Mark.IGNORED),
    ],
)
def test_the_mark_at_the_end(summary, stopped_early, mark):
    assert judge_node(summary, stopped_early) is mark


def test_long_lines_and_long_times():
    assert cut("abcdef", 6) == "abcdef" and cut("abcdefg", 6) == "abcde…"
    assert [duration(seconds) for seconds in (-1, 0.9, 59.9, 60, 3725)] == [
        "0 s",
        "0 s",
        "59 s",
        "1 min 00 s",
        "62 min 05 s",
    ]


@pytest.mark.parametrize(
    ("action", "state", "expected"),
    [
        ("baremetal.proxmox.proxmox_cluster", "joined", "joins; waits until both sides see it as a member"),
        ("baremetal.proxmox.proxmox_ssh_mesh", "", "logs in to all other nodes"),
        ("baremetal.proxmox.proxmox_cluster", "{{ state }}", "The task"),
        ("ansible.builtin.command", "joined", "The task"),
    ],
)
def test_what_a_node_waits_for(action, state, expected):
    assert describe_activity(action, state, "The task", "en") == expected
