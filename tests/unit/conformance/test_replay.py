# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading, moments, order, stories, substitution, verdicts and the list of accepted mismatches."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replay.compare import Verdict, compare
from replay.delays import missing_delay
from replay.known import Known, below_floor, read_known, unexpected
from replay.moments import made_at
from replay.normal_form import Answer
from replay.order import read_order, sort_group
from replay.recordings import Recording, load_recordings, select
from replay.report import figure_lines
from replay.stories import parse_story, plan, read_stories
from replay.substitute import KnownValues, join_target

FIRST = ":".join(f"{number:02X}" for number in range(32))
SECOND = ":".join(f"{number:02X}" for number in range(100, 132))


def command(name: str, argv: list[str], group: str = "cluster/x", node: str = "pve1", **raw: Any) -> Recording:
    return Recording(group, name, {"argv": argv, "rc": 0, "stdout": "", "stderr": "", "node": node, **raw})


def test_every_file_becomes_a_recording_whatever_it_holds(tmp_path: Path) -> None:
    for name, content in (
        ("cluster/1-a/b.json", '{"argv": ["true"], "rc": 0}'),
        ("cluster/1-a/c.json", "no json"),
        ("pmxcfs/q.json", '{"ops": []}'),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "timings.json").write_text("{}")
    found = {recording.label: recording.kind for recording in load_recordings(tmp_path)}
    assert found == {"cluster/1-a/b": "command", "cluster/1-a/c": "unknown", "pmxcfs/q": "operations"}


def test_selection_by_group_and_by_name() -> None:
    recordings = [command("a", ["x"], "cluster/1"), command("b", ["x"], "cluster/2")]
    assert [item.name for item in select(recordings, ["cluster/1"])] == ["a"]
    assert [item.name for item in select(recordings, ["cluster/2/b"])] == ["b"]
    assert len(select(recordings, [])) == 2


def test_a_moment_is_read_from_the_answer_not_from_the_question() -> None:
    assert made_at(command("a", ["x"], stdout="Date: Fri Nov 20 20:17:02 2026")) == 1795205822.0
    assert made_at(command("a", ["pvesh", "UPID:pve1:000003C0:00048CAD:6B00A9F0:x::root@pam:"])) is None


def test_order_by_moments_looks_first_followers_behind(tmp_path: Path) -> None:
    late = command("late", ["pvecm", "add"], stdout="Fri Nov 20 20:17:02 2026")
    early = command("early", ["pvecm", "add"], stdout="Fri Nov 20 20:16:02 2026")
    after = command("late.after", ["cat", "x"])
    look = command("zz", ["cat", "/etc/pve/.members"])
    assert [item.name for item in sort_group("cluster/x", [late, after, look, early], tmp_path)] == [
        "zz",
        "early",
        "late",
        "late.after",
    ]


def test_an_order_file_decides_and_unknown_names_find_a_place(tmp_path: Path) -> None:
    (tmp_path / "cluster__x.txt").write_text("b  # comment\n*\na\n")
    members = [command(name, ["pvecm", name]) for name in ("a", "b", "c", "a.after")]
    assert read_order("cluster/x", tmp_path) == ["b", "*", "a"]
    assert [item.name for item in sort_group("cluster/x", members, tmp_path)] == ["b", "c", "a", "a.after"]


def test_a_story_names_most_closely() -> None:
    story = parse_story(
        "s", "nodes pve1\nplay cluster/x/*\n!reset pve1\nplay cluster/x/* on pve2\nplay cluster/x/last\n"
    )
    recordings = [command("last", ["x"]), command("a", ["x"]), command("b", ["x"], node="pve2")]
    steps = plan([story], recordings).steps["s"]
    assert [step.recording.name if step.recording else step.action[0] for step in steps] == ["a", "reset", "b", "last"]


def test_a_new_group_finds_a_state_by_its_name_and_an_unreadable_file_does_not() -> None:
    story = parse_story("s", "nodes pve1\nmark healthy-3\nmark noquorum\n")
    recordings = [
        command("a", ["x"], "cluster/13-new"),
        command("b", ["x"], "cluster/14-noquorum"),
        Recording("cluster/13-new", "c", {}),
    ]
    placed = plan([story], recordings)
    assert [step.recording.name for step in placed.steps["s"] if step.recording] == ["a", "b"]
    assert [recording.name for recording in placed.unplaced] == ["c"]


def test_a_story_with_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: unknown word 'paly'"):
        parse_story("s", "paly x\n")


def test_the_stories_of_this_checkout_are_readable() -> None:
    stories = read_stories()
    assert {"life", "extra", "two_joins"} <= {story.name for story in stories}
    assert all(story.nodes for story in stories)


def test_recorded_values_in_a_question_become_the_live_ones() -> None:
    known = KnownValues(lambda host: SECOND if host == "10.99.0.11" else None)
    assert known.translate(FIRST, "10.99.0.11") == SECOND
    assert known.translate(FIRST, "10.99.0.99") == FIRST
    wrong = ":".join(["AA"] * 32)
    assert known.translate(wrong, "10.99.0.11") == wrong
    recorded, live = (
        "UPID:pve1:000003C0:00048CAD:6B00A9F0:x::root@pam:",
        "UPID:pve1:000004C0:00048CAD:6B00A9F1:x::root@pam:",
    )
    known.learn(f'{{"data":"{recorded}"}}', f'{{"data":"{live}"}}')
    assert known.translate(f"/nodes/pve1/tasks/{recorded}/log") == f"/nodes/pve1/tasks/{live}/log"


def test_the_host_that_is_joined() -> None:
    assert join_target(["pvecm", "add", "10.99.0.11", "--fingerprint", FIRST]) == "10.99.0.11"
    assert join_target(["pvecm", "status"]) is None


def test_an_exit_code_that_tells_the_truth_is_a_difference() -> None:
    """The real `pvecm add` answers 0 when it failed; an emulation that answers 1 is kinder."""
    recording = command("add", ["pvecm", "add"], stderr="401 authentication failure\n", wall_s=3.4)
    assert (
        compare(recording, Answer(rc=0, stderr="401 authentication failure\n", seconds=3.1), "", "").state == "matched"
    )
    assert (
        compare(recording, Answer(rc=1, stderr="401 authentication failure\n", seconds=3.1), "", "").state == "differs"
    )


def test_a_deliberate_wait_that_is_missing_is_a_difference() -> None:
    recorded = Answer(stderr="401 authentication failure", seconds=3.4)
    assert missing_delay(recorded, Answer(stderr="401 authentication failure", seconds=3.0)) is None
    assert missing_delay(recorded, Answer(stderr="401 authentication failure", seconds=0.4)) is not None
    quick = Answer(stderr="401 authentication failure", seconds=0.4)
    assert missing_delay(quick, quick) is None


def test_a_gap_counts_unless_it_is_beyond_what_the_collection_asks() -> None:
    recording = command("a", ["qm", "x"])
    verdict = compare(recording, Answer(rc=97, stderr="practice node: not emulated: qm x\n"), "", "")
    assert verdict.state == "not emulated"
    assert verdict.counts
    assert not replace(verdict, beyond=True).counts


def test_the_figure() -> None:
    verdicts = [
        Verdict("a/10-x/1", "a/10-x", "matched"),
        Verdict("a/2-y/1", "a/2-y", "differs"),
        Verdict("a/2-y/2", "a/2-y", "not emulated"),
        Verdict("a/2-y/3", "a/2-y", "not emulated", beyond=True),
        Verdict("a/2-y/4", "a/2-y", "matched", beyond=True),
    ]
    assert figure_lines(verdicts) == [
        "conformance a/2-y: 0/2",
        "conformance a/10-x: 1/1",
        "beyond the scope, not counted: 2, of these 1 match, 1 are refused",
        "conformance: 1/3",
    ]


def test_unlisted_healed_and_floor(tmp_path: Path) -> None:
    path = tmp_path / "known.txt"
    path.write_text("# comment\nfloor cluster 95\ncluster/a/x | because\nvm/* | later\n")
    known = read_known(path)
    verdicts = [
        Verdict("cluster/a/x", "cluster/a", "matched"),
        Verdict("cluster/a/y", "cluster/a", "differs"),
        Verdict("vm/1/z", "vm/1", "differs"),
    ]
    assert unexpected(verdicts, known) == (["cluster/a/y"], ["cluster/a/x"])
    assert below_floor(verdicts, known) == ["cluster: 50.0 % match, the floor is 95 %"]
    assert below_floor(verdicts, Known({"cluster": 50.0}, {})) == []


def test_a_known_file_with_a_slip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "known.txt"
    path.write_text("cluster/a/x because\n")
    with pytest.raises(ValueError, match=r"known\.txt:1"):
        read_known(path)


def test_json_of_the_recordings_survives_a_round_trip(tmp_path: Path) -> None:
    from replay.report import write_json

    write_json(tmp_path / "x.json", [Verdict("a/b", "a", "differs", ("rc:\n-0\n+1",))])
    assert json.loads((tmp_path / "x.json").read_text())[0]["differences"] == ["rc:\n-0\n+1"]
