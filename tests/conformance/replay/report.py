# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure, in lines that a person and a program can read."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from replay.compare import Verdict
from replay.known import Known, below_floor, unexpected


def natural_key(group: str) -> list[tuple[int, int | str]]:
    """Sort 2-join before 10-guests."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in group.replace("/", "-").split("-")]


def figure_lines(verdicts: list[Verdict]) -> list[str]:
    """`conformance GROUP: matched/total` for each group and the total last."""
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.group].append(verdict)
    lines = []
    for group in sorted(groups, key=natural_key):
        counted = [verdict for verdict in groups[group] if verdict.counts]
        if counted:
            lines.append(f"conformance {group}: {_matched(counted)}/{len(counted)}")
    counted = [verdict for verdict in verdicts if verdict.counts]
    lines.extend(_beyond_lines(verdicts))
    lines.append(f"conformance: {_matched(counted)}/{len(counted)}")
    return lines


def _beyond_lines(verdicts: list[Verdict]) -> list[str]:
    """What is recorded of calls that the collection never makes; it has no goal but to be right or refused."""
    beyond = [verdict for verdict in verdicts if verdict.beyond]
    if not beyond:
        return []
    refused = sum(verdict.state == "not emulated" for verdict in beyond)
    return [f"beyond the scope, not counted: {len(beyond)}, of these {_matched(beyond)} match, {refused} are refused"]


def detail_lines(verdicts: list[Verdict], known: Known, with_differences: bool) -> list[str]:
    """What did not match and why, what is not emulated, what could not be placed."""
    lines: list[str] = []
    for verdict in verdicts:
        if verdict.state == "differs":
            reason = known.reason(verdict.label)
            lines.append(f"differs: {verdict.label}" + (f" ({reason})" if reason else ""))
            if with_differences:
                lines.extend("    " + line for difference in verdict.differences for line in difference.splitlines())
    for state in ("not emulated", "unplaced", "artefact"):
        lines.extend(_apart(state, [verdict for verdict in verdicts if verdict.state == state]))
    return lines


def _apart(state: str, verdicts: list[Verdict]) -> list[str]:
    if not verdicts:
        return []
    counted = "" if any(verdict.counts for verdict in verdicts) else ", not counted"
    lines = [f"{state}: {len(verdicts)}{counted}"]
    lines.extend(f"    {verdict.label}: {' '.join(verdict.differences)}".rstrip(": ") for verdict in verdicts)
    return lines


def stray_lines(verdicts: list[Verdict], known: Known) -> list[str]:
    """Unlisted mismatches so few that they are told, but do not make the run red."""
    missing, _healed = unexpected(verdicts, known)
    return [f"stray mismatch: {label}" for label in missing] if len(missing) <= known.strays else []


def problem_lines(verdicts: list[Verdict], known: Known) -> list[str]:
    """Why the run is red; empty when it is green."""
    missing, healed = unexpected(verdicts, known)
    lines = [f"unlisted mismatch: {label}" for label in missing] if len(missing) > known.strays else []
    lines.extend(f"listed as a mismatch, but matches: {label}" for label in healed)
    lines.extend(below_floor(verdicts, known))
    return lines


def write_json(path: Path, verdicts: list[Verdict]) -> None:
    """The verdicts for programs."""
    document = [
        {
            "label": verdict.label,
            "group": verdict.group,
            "state": verdict.state,
            "differences": list(verdict.differences),
            "seconds": round(verdict.seconds, 3),
        }
        for verdict in verdicts
    ]
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _matched(verdicts: list[Verdict]) -> int:
    return sum(verdict.state == "matched" for verdict in verdicts)
