# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate makes of what its parts leave behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from environments import Environment, Python
from gate.count import Figures, count
from gate.parts import PARTS, Count, Need, Part
from gate.report import report
from gate.run import Outcome, Runner, command_of, labs_for

JUNIT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="a" name="passes"/>
<testcase classname="a" name="fails"><failure message="no"/></testcase>
<testcase classname="a" name="ends badly"><error message="teardown"/></testcase>
<testcase classname="a" name="skips"><skipped type="pytest.skip" message="no root"/></testcase>
<testcase classname="a" name="known gap"><skipped type="pytest.xfail" message="known"/></testcase>
</testsuite></testsuites>"""
ENVIRONMENT = Environment("newest", Python(Path(sys.executable), (3, 11)), "ansible-core", ())


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    file = tmp_path / "results.xml"
    file.write_text(JUNIT, encoding="utf-8")
    return file


@pytest.mark.parametrize("status, figures", [(0, Figures(passed=1)), (1, Figures(failed=1))])
def test_a_check_is_its_exit_status(status: int, figures: Figures):
    assert count(Count.CHECK, status, "", []) == figures


def test_junit_cases_are_counted_one_by_one(junit: Path):
    assert count(Count.JUNIT, 1, "", [junit]) == Figures(passed=1, failed=2, skipped=2, excused=1)


@pytest.mark.parametrize("content", [None, "", "<testsuites/>", "<testsuites><testcase"])
def test_a_run_that_left_no_cases_has_failed(tmp_path: Path, content: str | None):
    file = tmp_path / "results.xml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert count(Count.JUNIT, 0, "", [file]).failed == 1


def test_figures_are_never_kinder_than_the_exit_status(tmp_path: Path):
    file = tmp_path / "results.xml"
    file.write_text('<testsuites><testcase name="a"/></testsuites>', encoding="utf-8")
    assert count(Count.JUNIT, 3, "", [file]) == Figures(passed=1, failed=1)


def test_sanity_that_skips_everything_has_failed(tmp_path: Path):
    file = tmp_path / "results.xml"
    file.write_text('<testsuites><testcase name="a"/></testsuites>', encoding="utf-8")
    assert count(Count.SANITY, 0, "", [file]) == Figures(passed=1)
    assert count(Count.SANITY, 0, "WARNING: All targets skipped.\n", [file]) == Figures(failed=1)
    unable = 'WARNING: Skipping sanity test "pylint" on Python 3.13 due to missing virtual environment support.\n'
    assert count(Count.SANITY, 0, unable, [file]) == Figures(passed=1, skipped=1)


def test_a_sanity_test_without_files_of_its_kind_is_no_gap(junit: Path):
    assert count(Count.SANITY, 1, "", [junit]) == Figures(passed=1, failed=2)


@pytest.mark.parametrize(
    "status, log, figures",
    [
        (0, "conformance cluster: 9/10\nconformance: 9/10\n", Figures(passed=9, skipped=1, excused=1)),
        (1, "conformance: 9/10\n", Figures(passed=9, failed=1)),
        (1, "conformance: 10/10\n", Figures(passed=10, failed=1)),
        (0, "no recordings here\n", Figures(skipped=1)),
        (1, "Traceback\n", Figures(failed=1)),
    ],
)
def test_conformance_is_its_last_line(status: int, log: str, figures: Figures):
    assert count(Count.CONFORMANCE, status, log, []) == figures


def test_only_excused_skips_are_allowed_where_nothing_may_be_left_out():
    figures = Figures(passed=5, skipped=3, excused=1).where_nothing_may_be_left_out()
    assert (figures.passed, figures.failed, figures.skipped) == (5, 2, 1)


def outcome(name: str, figures: Figures, left_out: str = "") -> Outcome:
    return Outcome(Part(name, "lint", "true"), figures, 1.0, None, left_out)


def test_the_last_line_is_the_sum_of_all_parts():
    outcomes = [outcome("a", Figures(passed=3)), outcome("b", Figures(passed=1, failed=1, skipped=2))]
    lines, well = report(outcomes, [], strict=False)
    assert lines[-1] == "4 passed, 1 failed, 2 skipped"
    assert not well


@pytest.mark.parametrize(
    "strict, well, last",
    [(False, True, "1 passed, 0 failed, 1 skipped"), (True, False, "1 passed, 1 failed, 0 skipped")],
)
def test_what_was_left_out_is_said_and_with_ci_a_failure(strict: bool, well: bool, last: str):
    outcomes = [outcome("a", Figures(passed=1)), outcome("practice", Figures(skipped=1), left_out="needs root")]
    lines, is_well = report(outcomes, [], strict)
    assert is_well is well
    assert lines[-1] == last
    assert sum("practice (needs root)" in line for line in lines) == 1


def test_nothing_run_is_not_well():
    assert report([], [], strict=False)[1] is False


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setattr("gate.run.LOGS", tmp_path)
    return Runner({"newest": ENVIRONMENT}, lambda _outcome: None)


def test_a_failing_part_does_not_stop_the_others(runner: Runner):
    outcomes = runner.run([Part("one", "t", "echo said; exit 3"), Part("two", "t", "true")])
    assert [each.figures for each in outcomes] == [Figures(failed=1), Figures(passed=1)]
    assert outcomes[0].log is not None and outcomes[0].log.read_text(encoding="utf-8") == "said\n"


@pytest.mark.parametrize("labs", [0, 1])
def test_parts_of_one_lane_run_one_after_the_other(runner: Runner, tmp_path: Path, labs: int):
    command = f"mkdir {tmp_path}/busy && sleep 0.3 && rmdir {tmp_path}/busy"
    outcomes = runner.run([Part(name, "t", command, lane="nodes", labs=labs) for name in ("one", "two", "three")])
    assert all(each.figures == Figures(passed=1) for each in outcomes)


def test_parts_without_a_lane_run_side_by_side(runner: Runner, tmp_path: Path):
    meet = "touch {0}/{1}; for _ in $(seq 100); do test -e {0}/{2} && exit 0; sleep 0.1; done; exit 1"
    parts = [Part(me, "t", meet.format(tmp_path, me, other)) for me, other in (("one", "two"), ("two", "one"))]
    assert all(each.figures == Figures(passed=1) for each in runner.run(parts))


def test_a_part_that_takes_too_long_is_stopped_with_its_children(runner: Runner, tmp_path: Path):
    command = f"sleep 60 & echo $! > {tmp_path}/child; trap 'touch {tmp_path}/cleaned; exit 1' INT; sleep 60; true"
    [ended] = runner.run([Part("slow", "t", command, minutes=0.01)])
    assert ended.figures == Figures(failed=1)
    assert ended.seconds < 10
    assert ended.log is not None and "stopped after" in ended.log.read_text(encoding="utf-8")
    assert (tmp_path / "cleaned").exists()
    assert not is_running(int((tmp_path / "child").read_text(encoding="utf-8")))


def is_running(pid: int) -> bool:
    """Whether a process runs. One that is dead and only waits for somebody to take note does not."""
    for _attempt in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state == "Z":
            return False
        time.sleep(0.1)
    return True


def test_a_part_without_its_files_is_left_out(runner: Runner):
    [ended] = runner.run([Part("later", "t", "true", paths=("tests/no-such-directory",))])
    assert ended.figures == Figures(skipped=1)
    assert "no-such-directory" in ended.left_out


def test_a_part_that_needs_root_is_left_out_without_it(runner: Runner, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    [ended] = runner.run([Part("nodes", "t", "true", needs=frozenset({Need.ROOT}))])
    assert ended.left_out == "needs root"


def test_the_table_of_parts_is_sound():
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    makefile = (Path(__file__).resolve().parents[3] / "Makefile").read_text(encoding="utf-8")
    for part in PARTS:
        assert part.environment in ("newest", "oldest")
        assert f"\n{part.topic}:" in makefile
        assert "{" not in command_of(part, ENVIRONMENT).replace("${", "")
        assert part.count is not Count.JUNIT or "{results}" in part.command


def test_parts_that_wait_take_no_worker(runner: Runner, tmp_path: Path):
    wait = f"for _ in $(seq 100); do test -e {tmp_path}/worked && exit 0; sleep 0.1; done; exit 1"
    runner.workers = 1
    parts = [Part("one", "t", wait, labs=1), Part("two", "t", wait, labs=1)]
    outcomes = runner.run([*parts, Part("three", "t", f"touch {tmp_path}/worked")])
    assert all(each.figures == Figures(passed=1) for each in outcomes)


def test_a_small_machine_has_fewer_labs_at_a_time():
    practice = next(part for part in PARTS if part.name == "practice")
    assert (
        labs_for(practice, 64 << 30) == practice.labs > labs_for(practice, 3 << 30) > labs_for(practice, 1 << 20) == 1
    )
