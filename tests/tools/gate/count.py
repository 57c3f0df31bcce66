# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a part left behind (exit status, log, JUnit files) to figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .parts import Count


@dataclass(frozen=True)
class Figures:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    # How many of the skipped are known and listed with their reason (expected failures): they are no gap in a run.
    excused: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.excused + other.excused,
        )

    def where_nothing_may_be_left_out(self) -> Figures:
        """The same figures where a skip that nobody has excused is a failure."""
        return Figures(self.passed, self.failed + self.skipped - self.excused, self.excused, self.excused)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count(how: Count, status: int, log: str, result_files: Iterable[Path]) -> Figures:
    """Never kinder than the exit status: a part that failed has at least one failure, one that counted nothing too."""
    match how:
        case Count.CHECK:
            figures = Figures(passed=int(status == 0))
        case Count.JUNIT:
            figures = count_junit(result_files)
        case Count.SANITY:
            figures = count_sanity(log, result_files)
        case Count.CONFORMANCE:
            figures = count_conformance(status, log)
    nothing_counted = figures == Figures()
    if (status != 0 or nothing_counted) and not figures.failed:
        figures += Figures(failed=1)
    return figures


def count_junit(files: Iterable[Path]) -> Figures:
    total = Figures()
    for file in files:
        try:
            cases = list(ElementTree.parse(file).iter("testcase"))
        except (OSError, ElementTree.ParseError):
            total += Figures(failed=1)
            continue
        for case in cases:
            total += figures_of_case(case)
    return total


def figures_of_case(case: ElementTree.Element) -> Figures:
    if case.find("failure") is not None or case.find("error") is not None:
        return Figures(failed=1)
    skipped = case.find("skipped")
    if skipped is None:
        return Figures(passed=1)
    return Figures(skipped=1, excused=int(skipped.get("type") == "pytest.xfail"))


def count_sanity(log: str, files: Iterable[Path]) -> Figures:
    """One case per sanity test.

    A test without files of its kind is marked as skipped and is no gap; a test that could not run at all tells its reason
    in the log.
    """
    if "All targets skipped" in log:
        return Figures(failed=1)
    cases = count_junit(files)
    unable = len(re.findall(r'^(?:WARNING: )?Skipping sanity test "', log, re.MULTILINE))
    return Figures(cases.passed, cases.failed, unable)


def count_conformance(status: int, log: str) -> Figures:
    """`conformance: matched/total`. Status 0 says that every difference is a known one, listed with its reason."""
    lines = re.findall(r"^conformance: (\d+)/(\d+)\s*$", log, re.MULTILINE)
    if not lines:
        # The recordings are not here; the log says so.
        return Figures(skipped=1) if status == 0 else Figures(failed=1)
    matched, total = map(int, lines[-1])
    differing = total - matched
    if status == 0:
        return Figures(passed=matched, skipped=differing, excused=differing)
    return Figures(passed=matched, failed=max(1, differing))
