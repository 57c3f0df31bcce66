# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Debian packages in a running node: a lab's network leads nowhere, so they come through the host."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from .node import Node
from .packages import download
from .places import cache_directory
from .root import root_path


def install_packages(node: Node, names: Sequence[str]) -> None:
    """Install packages and what they need, with their scripts, as dpkg does."""
    target = node.root / "var" / "cache" / "practice-packages"
    target.mkdir(parents=True, exist_ok=True)
    files = fetch_packages(names)
    for file in files:
        shutil.copyfile(file, target / file.name)
    paths = [f"/var/cache/practice-packages/{file.name}" for file in files]
    node.run(["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", *paths], timeout=300).check()


def fetch_packages(names: Sequence[str]) -> list[Path]:
    """The files of the packages and of their dependencies that a node's root lacks, kept in the cache for this root."""
    directory = cache_directory() / "packages" / f"{root_path().name}-{'-'.join(sorted(names))}"
    finished = directory / "finished"
    if not finished.exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        download(root_path(), names, directory)
        finished.touch()
    return sorted((directory / "archives").glob("*.deb"))
