# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate need not run again, and what it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from environments import Environment, Python
from gate.count import Figures
from gate.memory import Memory, read_inputs
from gate.parts import PARTS, Part
from gate.run import Outcome

ENVIRONMENT = Environment("newest", Python(Path(sys.executable), (3, 11)), "ansible-core", ())
PART = Part("nodes", "t", "true", reads=("plugins/",))
GREEN = Outcome(PART, Figures(passed=3), seconds=9)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROXMOX_TRUTH", str(tmp_path / "recordings"))
    place = tmp_path / "checkout"
    for name in ("plugins/module.py", "docs/guide.md", ".gitignore"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("build/\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", place], check=True)
    return place


def memory(checkout: Path) -> Memory:
    return Memory(checkout / "build" / "green.json", {"newest": ENVIRONMENT}, read_inputs(checkout))


def see(checkout: Path, outcome: Outcome = GREEN) -> None:
    memory(checkout).keep([outcome], read_inputs(checkout))


def test_what_was_never_seen_is_not_recalled(checkout: Path):
    assert memory(checkout).recall(PART) is None


def test_a_green_result_holds_while_its_inputs_are_the_same(checkout: Path):
    see(checkout)
    (checkout / "docs/guide.md").write_text("other words", encoding="utf-8")
    recalled = memory(checkout).recall(PART)
    assert recalled is not None and recalled.figures == Figures(passed=3) and recalled.seen


@pytest.mark.parametrize("path", ["plugins/module.py", "plugins/new.py"])
def test_a_changed_input_ends_it(checkout: Path, path: str):
    see(checkout)
    (checkout / path).write_text("changed", encoding="utf-8")
    assert memory(checkout).recall(PART) is None


def test_a_removed_input_ends_it(checkout: Path):
    see(checkout)
    (checkout / "plugins/module.py").unlink()
    assert memory(checkout).recall(PART) is None


def test_another_command_ends_it(checkout: Path):
    see(checkout)
    assert memory(checkout).recall(Part("nodes", "t", "false", reads=("plugins/",))) is None


def test_new_recordings_end_it(checkout: Path, tmp_path: Path):
    see(checkout)
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings/one.json").write_text("{}", encoding="utf-8")
    assert memory(checkout).recall(PART) is None


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(PART, Figures(passed=3, failed=1)),
        Outcome(PART, Figures(passed=3, skipped=1)),
        Outcome(PART, Figures(skipped=1), left_out="needs root"),
    ],
)
def test_only_green_is_kept_and_red_forgets_the_green_before(checkout: Path, outcome: Outcome):
    see(checkout)
    see(checkout, outcome)
    assert memory(checkout).recall(PART) is None


def test_an_edit_during_the_run_is_not_kept(checkout: Path):
    before = memory(checkout)
    (checkout / "plugins/module.py").write_text("edited", encoding="utf-8")
    before.keep([GREEN], read_inputs(checkout))
    assert memory(checkout).recall(PART) is None


def test_a_damaged_memory_is_none(checkout: Path):
    see(checkout)
    (checkout / "build/green.json").write_text('{"nodes": {"digest": 1}}', encoding="utf-8")
    assert memory(checkout).recall(PART) is None


def test_outside_git_nothing_is_remembered(tmp_path: Path):
    assert read_inputs(tmp_path) is None


def test_the_table_names_places_that_exist():
    root = Path(__file__).resolve().parents[3]
    assert all((root / place).exists() for part in PARTS for place in part.reads)
