# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that failed get one more try, which is told and decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.count import Figures, count_junit
from node_tests import run_twice_where_needed

STEADY = "def test_steady():\n    pass\n"
UNSTEADY = """\
from pathlib import Path

def test_before():
    pass

def test_unsteady():
    marker = Path("seen")
    seen = marker.exists()
    marker.touch()
    assert seen
"""
BROKEN = "def test_broken():\n    assert False\n"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("tests").mkdir()
    return tmp_path / "results.xml"


def test_an_accident_is_told_and_forgiven(results: Path, capfd: pytest.CaptureFixture[str]):
    Path("tests/test_steady.py").write_text(STEADY, encoding="utf-8")
    Path("tests/test_unsteady.py").write_text(UNSTEADY, encoding="utf-8")
    assert run_twice_where_needed(results, 0, ["--rootdir=.", "tests"]) == 0
    assert "second try: tests/test_unsteady.py::test_unsteady\n" in capfd.readouterr().out
    assert count_junit([results]) == Figures(passed=3)


def test_what_fails_twice_has_failed(results: Path):
    Path("tests/test_steady.py").write_text(STEADY, encoding="utf-8")
    Path("tests/test_broken.py").write_text(BROKEN, encoding="utf-8")
    assert run_twice_where_needed(results, 0, ["--rootdir=.", "tests"]) == 1
    assert count_junit([results]) == Figures(passed=1, failed=1)


def test_many_failures_are_no_accident(results: Path, capfd: pytest.CaptureFixture[str]):
    for number in range(4):
        Path(f"tests/test_unsteady{number}.py").write_text(
            UNSTEADY.replace('seen")', f'seen{number}")'), encoding="utf-8"
        )
    assert run_twice_where_needed(results, 0, ["--rootdir=.", "tests"]) == 1
    assert "second try" not in capfd.readouterr().out


def test_a_run_that_could_not_begin_has_no_second_try(results: Path):
    assert run_twice_where_needed(results, 0, ["--rootdir=.", "nowhere"]) not in (0, 1)
