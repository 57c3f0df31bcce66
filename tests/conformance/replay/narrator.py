# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell all stories, each in a lab of its own, several at a time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from practice_lab.errors import LabError
from replay.access import LabAccess
from replay.actions import ActionFailed, Stage, run_action
from replay.compare import Verdict
from replay.player import Player
from replay.recordings import Recording
from replay.stories import Plan, Step, Story

Tell = Callable[[str], None]


def tell_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def replay_all(stories: list[Story], plan: Plan, wanted: set[str], prefix: str, jobs: int, tell: Tell) -> list[Verdict]:
    """The verdicts on the wanted recordings; what makes the state before them is replayed too, but not judged."""
    needed = [(story, steps) for story in stories if (steps := needed_steps(plan.steps[story.name], wanted))]
    # The longest story first: it decides how long all take.
    needed.sort(key=lambda item: -len(item[1]))
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = [
            pool.submit(tell_story, story, steps, wanted, prefix + story.name.replace("_", ""), tell)
            for story, steps in needed
        ]
    verdicts = [verdict for future in futures for verdict in future.result()]
    unplaced = [recording for recording in plan.unplaced if recording.label in wanted]
    verdicts.extend(
        Verdict(recording.label, recording.group, "unplaced", (_why_unplaced(recording),)) for recording in unplaced
    )
    return verdicts


def needed_steps(steps: list[Step], wanted: set[str]) -> list[Step]:
    """Everything up to the last wanted recording; nothing when none is wanted."""
    last = max(
        (number for number, step in enumerate(steps) if step.recording and step.recording.label in wanted), default=-1
    )
    return steps[: last + 1]


def tell_story(story: Story, steps: list[Step], wanted: set[str], lab_name: str, tell: Tell) -> list[Verdict]:
    """Bring up a lab, live through the story, clear up."""
    access = LabAccess(lab_name)
    verdicts: list[Verdict] = []
    started = time.monotonic()
    try:
        access.up(story.nodes, story.settings)
        stage = Stage(access)
        tell(f"{story.name}: {len(story.nodes)} nodes up after {time.monotonic() - started:.0f} s")
        player = Player(stage)
        for step in steps:
            if step.recording is None:
                _act(stage, story, step, tell)
                continue
            judged = step.recording.label in wanted
            if judged or _makes_state(step.recording):
                verdict = _play(player, step)
                verdicts.extend([verdict] if judged else [])
    except LabError as error:
        tell(f"{story.name}: {error}")
        verdicts.extend(_unreached(steps, wanted, verdicts, str(error)))
    finally:
        access.down()
    tell(f"{story.name}: told in {time.monotonic() - started:.0f} s")
    return verdicts


def _play(player: Player, step: Step) -> Verdict:
    assert step.recording is not None
    try:
        return player.play(step.recording, step.paced)
    except (LabError, OSError) as error:
        return Verdict(step.recording.label, step.recording.group, "differs", (f"could not be replayed: {error}",))


def _act(stage: Stage, story: Story, step: Step, tell: Tell) -> None:
    try:
        run_action(stage, step.action)
    except (ActionFailed, LabError) as error:
        tell(f"{story.name}: !{' '.join(step.action)}: {error}")


def _makes_state(recording: Recording) -> bool:
    """A request or a command that is not wanted is left out: the actions make the states by themselves."""
    return recording.kind == "simultaneous"


def _unreached(steps: list[Step], wanted: set[str], verdicts: list[Verdict], why: str) -> list[Verdict]:
    judged = {verdict.label for verdict in verdicts}
    return [
        Verdict(step.recording.label, step.recording.group, "differs", (f"not reached: {why}",))
        for step in steps
        if step.recording and step.recording.label in wanted and step.recording.label not in judged
    ]


def _why_unplaced(recording: Recording) -> str:
    return str(
        recording.raw.get("unreadable")
        or f"kind {recording.kind}, group {recording.group}: no story has a place for it"
    )
