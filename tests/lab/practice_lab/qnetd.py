# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a node the host of a quorum device: Debian's own corosync-qnetd, which no Proxmox VE node has by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from .completed import must_run
from .errors import LabError
from .node import Node
from .places import cache_directory

PACKAGE = "corosync-qnetd"


def install_qnetd(node: Node, start: bool = True) -> None:
    """Its dependencies are in the root already: corosync-qdevice has the same. Without C(start) only the file is there."""
    package = fetch_package()
    target = node.root / "var" / "cache" / package.name
    shutil.copyfile(package, target)
    if start:
        node.run(["dpkg", "-i", f"/var/cache/{package.name}"], timeout=120).check()
        node.run(["systemctl", "enable", "--now", PACKAGE], timeout=60).check()


def fetch_package() -> Path:
    """The package from the mirror in the host's own apt sources, kept in the cache."""
    directory = cache_directory() / "packages"
    found = sorted(directory.glob(f"{PACKAGE}_*.deb"))
    if not found:
        directory.mkdir(parents=True, exist_ok=True)
        must_run(["sh", "-c", f"cd '{directory}' && apt-get download -q {PACKAGE}"], timeout=300)
        found = sorted(directory.glob(f"{PACKAGE}_*.deb"))
    if not found:
        raise LabError(f"the package {PACKAGE} cannot be had from the host's apt sources")
    return found[-1]
