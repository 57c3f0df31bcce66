# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node needs for real guests: a layer with QEMU and one for each disk image, laid over its root.

The setting `guests` names the images: "tiny", or several with commas. In the node they are /usr/share/practice-node/guests/NAME.raw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import packages, workshop
from .cached import build_once
from .errors import LabError
from .places import GUESTS, cache_directory

IN_NODE = "usr/share/practice-node/guests"
# What a Proxmox node has too; /usr/bin/kvm comes from here.
QEMU_PACKAGES = ("qemu-system-x86", "genisoimage")
_DISK_TOOLS = ("syslinux", "syslinux-common", "mtools")
_TINY_PACKAGES = (*_DISK_TOOLS, "linux-image-cloud-amd64", "qemu-guest-agent", "busybox-static", "cpio")


@dataclass(frozen=True)
class Image:
    """How an image is made: the packages of its workshop, and who builds the disk there."""

    packages: tuple[str, ...]
    sources: tuple[Path, ...]

    def build(self, name: str, root: Path, target: Path) -> None:
        """Fill a layer with the disk of this image."""
        tools = build_tools(root, self.packages)
        directory = target / IN_NODE
        directory.mkdir(parents=True, mode=0o755)
        command = [f"/mnt/sources/{name}/build", f"/mnt/sources/{name}", f"/mnt/output/{name}.raw"]
        workshop.build([tools, root], GUESTS, directory, command)


IMAGES = {"tiny": Image(_TINY_PACKAGES, (GUESTS / "tiny", GUESTS / "bootable-disk"))}


def wanted_images(settings: Mapping[str, Any]) -> list[str]:
    """The names in the setting; nothing there: no real guests."""
    names = [name for name in str(settings.get("guests", "")).split(",") if name]
    unknown = [name for name in names if name not in IMAGES]
    if unknown:
        raise LabError(f"no guest image {', '.join(unknown)} (there are: {', '.join(IMAGES)})")
    return names


def ensure_layers(settings: Mapping[str, Any], root: Path) -> list[Path]:
    """The layers for a node with these settings, topmost first, built when they are missing."""
    names = wanted_images(settings)
    if not names:
        return []
    return [*(ensure_image(name, root) for name in names), build_tools(root, QEMU_PACKAGES)]


def ensure_image(name: str, root: Path) -> Path:
    """The layer with one image."""
    image = IMAGES[name]
    digest = hashlib.sha256(" ".join((root.name, *image.packages)).encode())
    for path in sorted(path for source in image.sources for path in (source, *source.rglob("*")) if path.is_file()):
        digest.update(path.read_bytes())
    return _cached(f"guest-{name}", digest, lambda target: image.build(name, root, target))


def build_tools(root: Path, names: tuple[str, ...]) -> Path:
    """A layer with packages."""
    digest = hashlib.sha256(" ".join((root.name, *names)).encode())
    return _cached("packages", digest, lambda target: packages.unpack(root, names, target))


def _cached(kind: str, digest: Any, build: Callable[[Path], None]) -> Path:
    finished = cache_directory() / f"{kind}-{digest.hexdigest()[:16]}"
    return build_once(finished, f"the layer {kind}", build)
