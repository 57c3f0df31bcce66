# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded and live answer side by side."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from replay.delays import missing_delay
from replay.normal_form import Answer, command_form, request_form
from replay.recordings import Recording

# The practice nodes' own "I do not know this": exit code of a command, status of a request.
NOT_EMULATED_EXIT = 97
NOT_EMULATED_STATUS = " 597 "
NOT_EMULATED_TEXT = "practice node: not emulated"


@dataclass(frozen=True)
class Verdict:
    """`state`: matched, differs, not emulated, unplaced, artefact. `beyond`: about what the collection never asks."""

    label: str
    group: str
    state: str
    differences: tuple[str, ...] = ()
    seconds: float = 0.0
    beyond: bool = False

    @property
    def counts(self) -> bool:
        return not self.beyond and self.state != "artefact"


@dataclass
class Comparison:
    differences: list[str] = field(default_factory=list)

    def add(self, name: str, recorded: str, live: str) -> None:
        if recorded != live:
            self.differences.append(f"{name}:\n{render_difference(recorded, live)}")


def recorded_answer(recording: Recording) -> Answer:
    """The answer as the file has it."""
    raw = recording.raw
    headers = raw.get("headers") or ()
    if isinstance(headers, str):
        headers = [line for line in headers.splitlines() if ": " in line]
    return Answer(
        rc=raw.get("rc"),
        stdout=str(raw.get("stdout") or ""),
        stderr=str(raw.get("stderr") or ""),
        status_line=str(raw.get("status_line") or ""),
        headers=tuple(headers),
        body=str(raw.get("body") or ""),
        seconds=recording.seconds,
    )


def compare(recording: Recording, live: Answer, recorded_question: str, live_question: str) -> Verdict:
    """The verdict on one live answer."""
    recorded = recorded_answer(recording)
    if _not_emulated(live):
        return Verdict(
            recording.label, recording.group, "not emulated", (live.stderr.strip() or live.status_line,), live.seconds
        )
    comparison = Comparison()
    form = request_form if recording.kind == "request" else command_form
    expected, got = form(recorded, recorded_question), form(live, live_question)
    for name, text in expected.items():
        comparison.add(name, text, got[name])
    if reason := missing_delay(recorded, live):
        comparison.differences.append(f"time: {reason}")
    return Verdict(
        recording.label,
        recording.group,
        "differs" if comparison.differences else "matched",
        tuple(comparison.differences),
        live.seconds,
    )


def render_difference(recorded: str, live: str) -> str:
    """A unified diff without its file header; `-` is the real node, `+` the practice node."""
    lines = difflib.unified_diff(recorded.split("\n"), live.split("\n"), lineterm="", n=1)
    return "\n".join(list(lines)[2:])


def _not_emulated(live: Answer) -> bool:
    if NOT_EMULATED_STATUS in f"{live.status_line} ":
        return True
    return NOT_EMULATED_TEXT in live.stderr or live.rc == NOT_EMULATED_EXIT
