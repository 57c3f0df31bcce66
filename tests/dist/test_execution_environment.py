# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: its definition taken by ansible-builder, as far as it goes without a container engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with its tarball built, in miniature; only the names of files matter here."""
    place = tmp_path_factory.mktemp("ee")
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    for name in ("execution-environment.yml", "meta/ee-requirements.txt", "meta/ee-bindep.txt"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (place / "build").mkdir()
    (place / f"build/baremetal-proxmox-{version}.tar.gz").write_bytes(b"")
    ended = subprocess.run(
        [
            BIN / "ansible-builder",
            "create",
            "--output-filename",
            "Containerfile",
            "-f",
            "execution-environment.yml",
            "-c",
            "context",
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place / "context"


def test_the_tarball_is_installed_from_where_it_is_copied_to(context: Path):
    [collection] = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))["collections"]
    # In the container the context lies below /build.
    assert (context / "_build" / collection["name"].removeprefix("/build/")).is_file()


def test_every_need_is_in_it(context: Path):
    assert "openssh-clients" in (context / "_build/bindep.txt").read_text(encoding="utf-8")
    told = (context / "Containerfile").read_text(encoding="utf-8")
    assert "ansible-core>=2.19" in told and "ansible-runner>=" in told


def test_the_collection_tells_its_needs_by_itself():
    found = yaml.safe_load((ROOT / "meta/execution-environment.yml").read_text(encoding="utf-8"))["dependencies"]
    assert all((ROOT / path).is_file() for path in found.values())
