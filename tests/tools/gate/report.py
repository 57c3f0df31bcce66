# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what the gate found: a line as each part ends, then failures, a table, what was left out, and the sum."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from environments import ROOT

from .count import Figures
from .parts import Count
from .run import Outcome

LINES_OF_A_FAILED_LOG = 80


def progress(outcome: Outcome, strict: bool) -> str:
    if outcome.left_out:
        return f"{'FAILED' if strict else 'left out':<9}{outcome.part.name:<15}{outcome.left_out}"
    if outcome.seen:
        return f"{'ok':<9}{outcome.part.name:<15}{outcome.figures} at {outcome.seen}; nothing that it reads has changed since"
    mark = "FAILED" if judged(outcome, strict).failed else "ok"
    return f"{mark:<9}{outcome.part.name:<15}{outcome.figures} in {outcome.seconds:.1f} s"


def judged(outcome: Outcome, strict: bool) -> Figures:
    return outcome.figures.where_nothing_may_be_left_out() if strict else outcome.figures


def report(outcomes: Sequence[Outcome], notes: Sequence[str], strict: bool) -> tuple[list[str], bool]:
    """The final lines, the last of them the sum, and whether all is well."""
    lines: list[str] = []
    total = Figures()
    rows: list[str] = []
    for outcome in outcomes:
        figures = judged(outcome, strict)
        total += figures
        if figures.failed and outcome.log:
            lines += ["", f"--- {outcome.part.name} ({relative(outcome.log)}) ---", *tail(outcome, outcome.log)]
        if outcome.log:
            notes = [*notes, *second_tries(outcome.part.name, outcome.log)]
        rows.append(
            f"{outcome.part.name:<16}{figures.passed:>8}{figures.failed:>8}{figures.skipped:>9}{outcome.seconds:>9.1f}"
        )
    lines += ["", f"{'part':<16}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}", *rows]
    left_out = [f"{outcome.part.name} ({outcome.left_out})" for outcome in outcomes if outcome.left_out]
    if left_out:
        lines.append(f"left out: {', '.join(left_out)}" + ("; with CI=true that is a failure" if strict else ""))
    seen = [outcome.part.name for outcome in outcomes if outcome.seen]
    if seen:
        lines.append(f"not run again, since nothing that they read has changed (FRESH=1 runs them): {', '.join(seen)}")
    lines += notes
    lines.append(str(total))
    return lines, bool(outcomes) and not total.failed


def second_tries(name: str, log: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [f"{name}: {line}" for line in lines if line.startswith("second try: ")]


def relative(log: Path) -> Path:
    return log.relative_to(ROOT) if log.is_relative_to(ROOT) else log


def tail(outcome: Outcome, log: Path) -> list[str]:
    """What a reader needs of the log of a failed part; the whole of it stays in the file."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if outcome.part.count is Count.SANITY:
        # Most of such a log tells how pip installs the sanity tests.
        lines = [line for line in lines if line.startswith(("ERROR:", "FATAL: The"))] or lines
    hidden = len(lines) - LINES_OF_A_FAILED_LOG
    return ([f"... {hidden} lines before"] if hidden > 0 else []) + lines[-LINES_OF_A_FAILED_LOG:]
