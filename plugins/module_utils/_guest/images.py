# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud images: what Proxmox VE shall import, found or fetched before the first guest is made.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._plan import Step
from .._session.errors import SessionError
from .._session.interface import Session, join_path
from .errors import SourceMissing
from .wish import ImageSource

_COMPRESSIONS = ("gz", "lzo", "zst", "bz2")


@dataclass(frozen=True)
class FoundImage:
    """What C(import-from) takes, and the step that fetches it if it is not there yet."""

    source: str
    fetch: Step | None = None


def find_image(session: Session, image: ImageSource, node: str) -> FoundImage:
    if image.path:
        return _find_path(session, image.path, node)
    if image.url:
        return _find_url(session, image, node)
    storage = image.volume.partition(":")[0]
    known = _volumes(session, node, storage)
    if image.volume not in known:
        named = ", ".join(sorted(known)) or "no image at all"
        raise SourceMissing(
            f"image: there is no {image.volume} on {node}; {storage} has {named}.",
            "Fetch it with image: {url, checksum, storage}.",
        )
    return FoundImage(image.volume)


def _find_path(session: Session, path: str, node: str) -> FoundImage:
    # Only on the node itself can one look; elsewhere Proxmox VE says so when it is told to import.
    if session.node == node and not os.path.isfile(path):
        directory = os.path.dirname(path)
        names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
        there = f"{directory} has {', '.join(names[:20])}" if names else f"{directory} has nothing"
        raise SourceMissing(f"image: there is no file {path} on {node}; {there}.")
    return FoundImage(path)


def _find_url(session: Session, image: ImageSource, node: str) -> FoundImage:
    filename, compression = local_name(image)
    volume = f"{image.storage}:import/{filename}"
    if volume in _volumes(session, node, image.storage):
        return FoundImage(volume)
    algorithm, _colon, checksum = image.checksum.partition(":")
    arguments: dict[str, Any] = {
        "node": node,
        "storage": image.storage,
        "parameters": {
            "content": "import",
            "filename": filename,
            "url": image.url,
            "checksum": checksum.lower(),
            "checksum-algorithm": algorithm,
            "compression": compression or None,
        },
    }
    return FoundImage(volume, Step("fetch_image", f"Fetch {image.url} as {volume} on {node}.", arguments))


def local_name(image: ImageSource) -> tuple[str, str]:
    """The file's name in the storage, with the checksum in it, so that a new image never hides behind an old name.

    Proxmox VE takes .qcow2, .raw and .vmdk only; what distributions call .img is qcow2.
    """
    name = image.filename or posixpath.basename(urlsplit(image.url).path) or "image"
    stem, dot, compression = name.rpartition(".")
    if dot and compression in _COMPRESSIONS:
        name = stem
    else:
        compression = ""
    matched = re.fullmatch(r"(.*)\.(qcow2|raw|vmdk|ova)", name)
    stem, suffix = (matched[1], matched[2]) if matched else (name.removesuffix(".img"), "qcow2")
    stem = re.sub(r"[^A-Za-z0-9_.\-]", "_", stem)
    short = image.checksum.partition(":")[2][:12].lower()
    return f"{stem}-{short}.{suffix}", compression


def _volumes(session: Session, node: str, storage: str) -> set[str]:
    try:
        rows = session.get(join_path("nodes", node, "storage", storage, "content"))
    except SessionError as error:
        raise SourceMissing(f"image: the storage {storage} cannot be read on {node}: {error}") from error
    return {str(row["volid"]) for row in rows if row.get("content") in ("import", "images", "iso")}
