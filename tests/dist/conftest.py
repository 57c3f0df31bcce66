# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball, built once, and installed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from as_a_user import run
from copy_tree import copy


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("copy") / "ansible_collections" / "baremetal" / "proxmox"
    copy(tree)
    built = tmp_path_factory.mktemp("built")
    run(["ansible-galaxy", "collection", "build", "--output-path", built, tree], built)
    [file] = built.glob("baremetal-proxmox-*.tar.gz")
    return file


@pytest.fixture(scope="session")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another collections path, with nothing but the installed tarball."""
    target = tmp_path_factory.mktemp("installed")
    command: list[str | Path] = ["ansible-galaxy", "collection", "install", "--offline", "-p", target, tarball]
    run(command, target, ANSIBLE_COLLECTIONS_PATH=str(target))
    return target
