# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

import get_pip


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".ansible" / "test" / "cache"


def test_the_script_is_put_where_ansible_test_looks_when_its_host_is_out_of_reach(
    cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(get_pip, "answers", lambda _version: False)
    get_pip.seed()
    [seeded] = cache.glob("get_pip_*.py")
    assert seeded.read_bytes() == Path(get_pip.__file__).read_bytes()
    seeded.write_bytes(get_pip.MARK + b" of an earlier version")
    get_pip.seed()
    assert seeded.read_bytes() == Path(get_pip.__file__).read_bytes()


def test_nothing_is_put_there_when_the_host_answers(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(get_pip, "answers", lambda _version: True)
    get_pip.seed()
    assert list(cache.glob("get_pip_*.py")) == []


def test_the_real_script_is_left_alone(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(get_pip, "answers", lambda _version: False)
    get_pip.seed()
    [seeded] = cache.glob("get_pip_*.py")
    seeded.write_text("# the real one\n", encoding="utf-8")
    get_pip.seed()
    assert seeded.read_text(encoding="utf-8") == "# the real one\n"
