# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks of real guests: what goes into them, and how they are made from Debian packages.

Every image has a directory of its name below tests/lab/guests with a script `build SOURCES OUTPUT`, which runs in a workshop.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from . import packages, workshop
from .places import GUESTS
from .root import bootstrap

_WORKSHOP = ("syslinux", "syslinux-common", "mtools", "linux-image-cloud-amd64", "busybox-static", "cpio")
_DEBIAN = """
ca-certificates cloud-init dbus e2fsprogs iproute2 iputils-ping kmod libpam-systemd netbase openssh-server python3 sudo systemd
systemd-sysv udev
""".split()


@dataclass(frozen=True)
class Image:
    """What an image is made of: the workshop's packages, those of its root, those that it only has in a repository."""

    workshop_packages: tuple[str, ...]
    root_packages: tuple[str, ...] = ()
    repository_packages: tuple[str, ...] = ()


IMAGES = {
    # A kernel, busybox and the agent: answers some seconds after its start.
    "tiny": Image((*_WORKSHOP, "qemu-guest-agent")),
    # What a cloud image of Debian has, without the agent: that lies in a repository inside.
    "debian13": Image(_WORKSHOP, tuple(_DEBIAN), ("qemu-guest-agent",)),
}


def sources_of(name: str) -> list[Path]:
    """The files that decide what the image will be."""
    common = [path for path in GUESTS.iterdir() if path.is_file()]
    return sorted([*common, *(path for path in (GUESTS / name).rglob("*") if path.is_file())])


def build_disk(name: str, root: Path, tools: Path, directory: Path) -> None:
    """Make directory/NAME.raw; root and tools are what the workshop consists of."""
    image = IMAGES[name]
    tree = directory / name
    if image.root_packages:
        bootstrap(tree, image.root_packages)
    if image.repository_packages:
        files = packages.download(tree, image.repository_packages, directory / "apt")
        (directory / "repository").mkdir()
        for file in files:
            file.rename(directory / "repository" / file.name)
        shutil.rmtree(directory / "apt")
    command = [f"/mnt/sources/{name}/build", f"/mnt/sources/{name}", f"/mnt/output/{name}.raw"]
    workshop.build([tools, root], GUESTS, directory, command)
