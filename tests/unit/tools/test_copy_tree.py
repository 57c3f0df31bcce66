# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import copy_tree


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    for name in (
        "galaxy.yml",
        "plugins/modules/one.py",
        "tests/unit/test_one.py",
        "tests/lab/lab",
        "build/old",
        "gone.py",
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    (root / ".gitignore").write_text("build/\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", root], check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    (root / "gone.py").unlink()
    (root / "plugins/modules/new.py").write_text("new", encoding="utf-8")
    monkeypatch.setattr(copy_tree, "ROOT", root)
    return root


def test_the_copy_holds_tracked_and_new_files_of_the_collection(checkout: Path, tmp_path: Path):
    target = tmp_path / "copy"
    (target / "left/over").mkdir(parents=True)
    copy_tree.copy(target)
    names = {str(file.relative_to(target)) for file in target.rglob("*") if file.is_file() and ".git/" not in str(file)}
    assert names == {
        ".gitignore",
        "galaxy.yml",
        "plugins/modules/one.py",
        "plugins/modules/new.py",
        "tests/unit/test_one.py",
    }
    # ansible-test skips everything in a copy that is no repository of its own.
    assert (target / ".git").is_dir()
