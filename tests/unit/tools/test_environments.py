# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import environments
from environments import Environment, Python, choose, find_pythons, probe


def pythons(*minors: int) -> dict[tuple[int, int], Python]:
    return {(3, minor): Python(Path(f"/usr/bin/python3.{minor}"), (3, minor)) for minor in minors}


@pytest.mark.parametrize(
    "minors, expected",
    [
        ((11,), [("newest", "3.11", "ansible-core")]),
        ((13,), [("newest", "3.13", "ansible-core"), ("oldest", "3.13", "ansible-core~=2.19.0")]),
        ((11, 13), [("newest", "3.13", "ansible-core"), ("oldest", "3.11", "ansible-core~=2.19.0")]),
        ((12, 14), [("newest", "3.14", "ansible-core"), ("oldest", "3.12", "ansible-core~=2.19.0")]),
        ((14,), [("newest", "3.14", "ansible-core")]),
    ],
)
def test_the_environments_bracket_what_is_here(minors: tuple[int, ...], expected: list[tuple[str, str, str]]):
    chosen = choose(pythons(*minors))
    assert [(each.name, each.python.text, each.core) for each in chosen] == expected


def test_no_python_is_said():
    with pytest.raises(SystemExit, match=r"No usable Python"):
        choose({})


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path):
    shims, real = tmp_path / "shims", tmp_path / "real"
    for directory in (shims, real):
        directory.mkdir()
    script(shims / "python3.13", "echo 'command not found' >&2; exit 127")
    script(real / "python3.13", "echo 3 13 True /opt/python/bin/python3.13")
    assert find_pythons([shims, real]) == {(3, 13): Python(Path("/opt/python/bin/python3.13"), (3, 13))}


def test_the_first_on_the_path_wins_and_old_ones_do_not_count(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
        script(directory / "python3.12", f"echo 3 12 True {directory}/python3.12")
    script(second / "python3", "echo 3 9 True /usr/bin/python3.9")
    assert find_pythons([first, second]) == {(3, 12): Python(first / "python3.12", (3, 12))}


def test_a_virtual_environment_is_no_base_for_another(tmp_path: Path):
    assert probe(script(tmp_path / "python3.12", "echo 3 12 False /somewhere/bin/python")) is None
    if sys.prefix != sys.base_prefix:
        assert probe(Path(sys.executable)) is None


def test_an_environment_is_made_anew_when_its_requirements_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    for name in ("test.txt", "lint.txt"):
        (tmp_path / name).write_text("pytest\n", encoding="utf-8")
    [environment] = choose(pythons(11))
    before = environments.fingerprint(environment)
    assert environments.fingerprint(environment) == before
    (tmp_path / "lint.txt").write_text("pytest\nruff\n", encoding="utf-8")
    assert environments.fingerprint(environment) != before


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for environments that holds a working one, made of another Python than the one that is wanted now."""
    monkeypatch.setattr(environments, "HOME", tmp_path)
    script(tmp_path / "newest" / "bin" / "python", "echo works")
    (tmp_path / "newest" / "pyvenv.cfg").write_text("home = /opt/another/bin\nversion = 3.12.1\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("killed_before", [False, True])
def test_a_working_environment_survives_that_no_new_one_can_be_made(home: Path, killed_before: bool):
    if killed_before:
        (home / "newest").rename(home / "newest.before")
        (home / "newest" / "bin").mkdir(parents=True)
    failing = script(home / "base" / "python3.13", 'mkdir -p "$3"; echo no network; exit 1')
    with pytest.raises(SystemExit, match="no network"):
        environments.make(Environment("newest", Python(failing, (3, 13)), "ansible-core", ()))
    assert (home / "newest" / "bin" / "python").exists()
    assert not (home / "newest.before").exists()


def test_an_old_environment_goes_when_the_new_one_works(home: Path):
    making = 'if [ "$2" = venv ]; then mkdir -p "$3/bin"; ln -s /bin/true "$3/bin/python"; fi'
    environments.make(Environment("newest", Python(script(home / "base" / "python3.13", making), (3, 13)), "x", ()))
    assert (home / "newest" / "bin" / "python").resolve() == Path("/bin/true").resolve()
    assert not (home / "newest.before").exists()


def test_the_pythons_of_present_environments_are_asked_first(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    assert environments.candidate_directories()[:2] == [Path("/opt/another/bin"), Path("/usr/bin")]
