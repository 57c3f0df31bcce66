# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories: what was done to the recorded nodes, in its order, with the recordings where they were made.

A story is one lab's life, a text file in `stories/`:

    nodes pve1 pve2 pve3            fresh nodes of these names
    settings KEY=VALUE...           what makes these nodes special (their practice-node.json)
    play GROUP/NAME                 replay this recording (unknown names are no error: it may come later)
    play GROUP/* [on NODE]          replay what of the group no line of any story names, in the group's order
    !ACTION ARGUMENT...             do something that was not recorded (actions.py)
    mark NAME                       a state that recordings of unknown groups can be sent to
    pace on|off                     keep the recorded time between the commands of the following plays
"""

from __future__ import annotations

import fnmatch
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from replay.order import sort_group
from replay.recordings import Recording

STORY_DIRECTORY = Path(__file__).resolve().parent.parent / "stories"
NODE_IN_USE = re.compile(r"^(.*?)(?: on (\S+))?$")

# Where recordings of a group that no story knows are replayed: the first pattern that its name or note matches.
FALLBACKS: tuple[tuple[str, str], ...] = (
    (r"no.?quorum|without.?quorum", "noquorum"),
    (r"degraded|node.down", "degraded"),
    (r"expected-1", "expected-1"),
    (r"recovered", "recovered"),
    (r"delnode|separat|remove", "delnode"),
    (r"\bjoin(?!-fail)", "single"),
    (r"single|create", "single"),
    (r"standalone|fail", "standalone"),
    (r"^cluster/|^pmxcfs/cluster|healthy|member of a|in-cluster", "healthy-3"),
    (r"^vm/", "guests"),
    (r"", "api"),
)


@dataclass(frozen=True)
class Line:
    """One line of a story; `argument` is what follows the word."""

    word: str
    argument: str
    number: int


@dataclass(frozen=True)
class Story:
    name: str
    lines: tuple[Line, ...]

    @property
    def nodes(self) -> list[str]:
        return [name for line in self.lines if line.word == "nodes" for name in line.argument.split()]

    @property
    def settings(self) -> dict[str, str]:
        words = (word for line in self.lines if line.word == "settings" for word in line.argument.split())
        return {key: value for key, _equals, value in (word.partition("=") for word in words)}


@dataclass(frozen=True)
class Step:
    """An action, or a recording to replay."""

    action: tuple[str, ...] = ()
    recording: Recording | None = None
    paced: bool = False


WORDS = {"nodes", "settings", "play", "mark", "pace", "!"}


def parse_story(name: str, text: str) -> Story:
    """Read a story; a line that is not understood is an error of the story."""
    lines = []
    for number, raw in enumerate(text.splitlines(), start=1):
        content = raw.split(" #", 1)[0].strip()
        if not content or content.startswith("#"):
            continue
        if content.startswith("!"):
            lines.append(Line("!", content[1:].strip(), number))
            continue
        word, _space, argument = content.partition(" ")
        if word not in WORDS:
            raise ValueError(f"story {name}, line {number}: unknown word {word!r}")
        lines.append(Line(word, argument.strip(), number))
    return Story(name, tuple(lines))


def read_stories(directory: Path = STORY_DIRECTORY) -> list[Story]:
    return [parse_story(path.stem, path.read_text(encoding="utf-8")) for path in sorted(directory.glob("*.txt"))]


@dataclass(frozen=True)
class Plan:
    """Each story's steps, and the recordings that have no place in any."""

    steps: dict[str, list[Step]]
    unplaced: list[Recording]


def plan(stories: list[Story], recordings: list[Recording]) -> Plan:
    """Give every recording its place: the line that names it most closely, else the state its group's name speaks of."""
    plays = [(story.name, line) for story in stories for line in story.lines if line.word == "play"]
    marks = {
        line.argument: (story.name, line.number) for story in stories for line in story.lines if line.word == "mark"
    }
    places: dict[tuple[str, int], list[Recording]] = {}
    unplaced: list[Recording] = []
    for recording in recordings:
        fitting = [(name, line) for name, line in plays if _closeness(line, recording) is not None]
        if recording.kind == "unknown":
            unplaced.append(recording)
        elif fitting:
            name, line = max(fitting, key=lambda item: _closeness(item[1], recording) or (0, 0))
            places.setdefault((name, line.number), []).append(recording)
        elif (mark := fallback_mark(recording)) in marks:
            places.setdefault(marks[mark], []).append(recording)
        else:
            unplaced.append(recording)
    return Plan({story.name: _steps(story, places) for story in stories}, unplaced)


def _closeness(line: Line, recording: Recording) -> tuple[int, int] | None:
    """How closely a play line names a recording: by its name, for its node, by the longest glob; None: not at all."""
    target, node = _target(line)
    if not fnmatch.fnmatchcase(recording.label, target) or node not in {None, recording.node}:
        return None
    return (2 if "*" not in target else 1 if node else 0, len(target))


def fallback_mark(recording: Recording) -> str:
    """The state that an unknown group's name or note speaks of."""
    text = f"{recording.group} {recording.raw.get('note') or ''}"
    return next(mark for pattern, mark in FALLBACKS if re.search(pattern, text))


def _steps(story: Story, places: dict[tuple[str, int], list[Recording]]) -> list[Step]:
    steps: list[Step] = []
    paced = False
    for line in story.lines:
        if line.word == "!":
            steps.append(Step(action=tuple(shlex.split(line.argument))))
        elif line.word == "pace":
            paced = line.argument == "on"
        here = places.get((story.name, line.number), [])
        for group in sorted({recording.group for recording in here}):
            members = [recording for recording in here if recording.group == group]
            steps.extend(Step(recording=recording, paced=paced) for recording in sort_group(group, members))
    return steps


def _target(line: Line) -> tuple[str, str | None]:
    match = NODE_IN_USE.match(line.argument)
    assert match is not None
    return match[1].strip(), match[2]
