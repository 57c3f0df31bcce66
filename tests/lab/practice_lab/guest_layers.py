# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node needs for real guests: a layer with QEMU and one for each disk image, laid over its root.

The setting `guests` names the images: "tiny", or several with commas. In the node they are /usr/share/practice-node/guests/NAME.raw.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import packages
from .cached import build_once, forget_older
from .errors import LabError
from .guest_images import IMAGES, build_disk, sources_of
from .places import cache_directory

IN_NODE = "usr/share/practice-node/guests"
# What a Proxmox node has too; /usr/bin/kvm comes from here.
QEMU_PACKAGES = ("qemu-system-x86", "genisoimage")


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
    return [*(ensure_image(name, root) for name in names), build_tools("qemu", root, QEMU_PACKAGES)]


def ensure_image(name: str, root: Path) -> Path:
    """The layer with one image."""
    image = IMAGES[name]
    # not the root: it only lends its tools, and a new one need not mean new disks
    digest = hashlib.sha256(repr(image).encode())
    for path in sources_of(name):
        digest.update(path.read_bytes())

    def build(target: Path) -> None:
        directory = target / IN_NODE
        directory.mkdir(parents=True, mode=0o755)
        build_disk(name, root, build_tools(name, root, image.workshop_packages), directory)

    return _cached(f"guest-{name}", digest, build)


def build_tools(purpose: str, root: Path, names: tuple[str, ...]) -> Path:
    """A layer with packages."""
    digest = hashlib.sha256(" ".join((root.name, *names)).encode())
    return _cached(f"packages-{purpose}", digest, lambda target: packages.unpack(root, names, target))


def _cached(kind: str, digest: Any, build: Callable[[Path], None]) -> Path:
    finished = cache_directory() / f"{kind}-{digest.hexdigest()[:16]}"
    if not finished.is_dir():
        build_once(finished, f"the layer {kind}", build)
        forget_older(finished, re.compile(rf"{kind}-[0-9a-f]{{16}}"))
    return finished
