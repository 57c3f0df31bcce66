# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accepted mismatches and the floor: one file, `known.txt`.

    floor cluster 95
    strays 4
    cluster/9-extra/two-joins-stuck-state-pve1 | the last lines of a journal depend on the second they are read

A group may be given as a whole by a glob. A mismatch that is not listed, and a listed one that matches, is reported.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

from replay.compare import Verdict

KNOWN_FILE = Path(__file__).resolve().parent.parent / "known.txt"


@dataclass(frozen=True)
class Known:
    floors: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    # How many unlisted mismatches a run may have: timers and rounds are seen in another phase on a busy machine.
    strays: int = 0

    def reason(self, label: str) -> str | None:
        if label in self.reasons:
            return self.reasons[label]
        return next((reason for pattern, reason in self.reasons.items() if fnmatch.fnmatchcase(label, pattern)), None)


def read_known(path: Path = KNOWN_FILE) -> Known:
    """The floors and the reasons; a line that is neither is an error of the file, not of the emulation."""
    floors: dict[str, float] = {}
    reasons: dict[str, str] = {}
    strays = 0
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        words = content.split()
        if words[0] == "floor" and len(words) == 3:
            floors[words[1]] = float(words[2])
        elif words[0] == "strays" and len(words) == 2:
            strays = int(words[1])
        elif "|" in content:
            label, reason = (part.strip() for part in content.split("|", 1))
            reasons[label] = reason
        else:
            raise ValueError(f"{path}:{number}: neither 'floor PART PERCENT' nor 'LABEL | REASON': {content}")
    return Known(floors, reasons, strays)


def unexpected(verdicts: list[Verdict], known: Known) -> tuple[list[str], list[str]]:
    """Mismatches without a listed reason, and listed labels that match."""
    missing = [
        verdict.label
        for verdict in verdicts
        if (verdict.state in {"differs", "unplaced"} or (verdict.state == "not emulated" and verdict.counts))
        and known.reason(verdict.label) is None
    ]
    healed = [verdict.label for verdict in verdicts if verdict.state == "matched" and verdict.label in known.reasons]
    return missing, healed


def share(verdicts: list[Verdict], part: str) -> float | None:
    """Percent matched among the recordings of `part` (the first word of a group); None without any."""
    counted = [verdict for verdict in verdicts if verdict.counts and verdict.group.split("/", 1)[0] == part]
    if not counted:
        return None
    return 100.0 * sum(verdict.state == "matched" for verdict in counted) / len(counted)


def below_floor(verdicts: list[Verdict], known: Known) -> list[str]:
    """One sentence for every part that has fallen below its floor."""
    sentences = []
    for part, floor in known.floors.items():
        reached = share(verdicts, part)
        if reached is not None and reached < floor:
            sentences.append(f"{part}: {reached:.1f} % match, the floor is {floor:g} %")
    return sentences
