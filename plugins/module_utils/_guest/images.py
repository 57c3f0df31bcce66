# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud images and container templates: found, or fetched before the first guest is made.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._session.errors import SessionError
from .._session.interface import Session, join_path
from .download import COMPRESSIONS, Download, fetch
from .errors import Refused, SourceMissing
from .guest_types import GuestType
from .storage_paths import content_directory
from .wish import ImageSource

#: What Proxmox VE itself can unpack when it is told to fetch something.
_UNPACKED_BY_PROXMOX = ("gz", "lzo", "zst", "bz2")
_DOWNLOAD_TIMEOUT = 3600


@dataclass(frozen=True)
class FoundImage:
    """What a creation takes, and how to fetch it if it is not there yet."""

    source: str
    fetch: Callable[[], None] | None = None
    summary: str = ""


def find_image(session: Session, image: ImageSource, node: str, guest_type: GuestType) -> FoundImage:
    option = guest_type.source_option
    if image.path:
        return _find_path(session, image.path, node, option)
    if image.url:
        return _find_url(session, image, node, guest_type)
    storage = image.volume.partition(":")[0]
    known = _volumes(session, node, storage, guest_type)
    if image.volume not in known:
        named = ", ".join(sorted(known)) or f"no {option} at all"
        raise SourceMissing(
            f"{option}: there is no {image.volume} on {node}; {storage} has {named}.",
            f"Fetch it with {option}: {{url, checksum, storage}}.",
        )
    return FoundImage(image.volume)


def _find_path(session: Session, path: str, node: str, option: str) -> FoundImage:
    # Only on the node itself can one look; elsewhere Proxmox VE says so when it is told to import.
    if session.node == node and not os.path.isfile(path):
        directory = os.path.dirname(path)
        names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
        there = f"{directory} has {', '.join(names[:20])}" if names else f"{directory} has nothing"
        raise SourceMissing(f"{option}: there is no file {path} on {node}; {there}.")
    return FoundImage(path)


def _find_url(session: Session, image: ImageSource, node: str, guest_type: GuestType) -> FoundImage:
    option, content = guest_type.source_option, guest_type.source_content[0]
    filename, compression = local_name(image, content)
    volume = f"{image.storage}:{content}/{filename}"
    if volume in _volumes(session, node, image.storage, guest_type):
        return FoundImage(volume)
    algorithm, _colon, checksum = image.checksum.partition(":")
    summary = f"Fetch {image.url} as {volume} on {node}."
    # Elsewhere Proxmox VE fetches it; there the storage's definition may well be hidden from the user.
    directory = content_directory(session, image.storage, content, option) if session.node == node else None
    if directory is not None:
        proxy = str((session.get("/cluster/options") or {}).get("http_proxy") or "")
        download = Download(image.url, directory / filename, algorithm, checksum, compression, proxy)
        return FoundImage(volume, lambda: fetch(download), summary)
    if compression and compression not in _UNPACKED_BY_PROXMOX:
        raise Refused(
            f"{option}: Proxmox VE cannot unpack .{compression} when it fetches {image.url} itself.",
            f"Run the module on {node} (transport: local), or name another image.",
        )
    parameters = {
        "content": content,
        "filename": filename,
        "url": image.url,
        "checksum": checksum.lower(),
        "checksum-algorithm": algorithm,
        "compression": compression or None,
    }
    path = join_path("nodes", node, "storage", image.storage, "download-url")

    def let_proxmox_fetch() -> None:
        session.wait(session.create(path, **parameters), _DOWNLOAD_TIMEOUT)

    return FoundImage(volume, let_proxmox_fetch, summary)


def local_name(image: ImageSource, content: str) -> tuple[str, str]:
    """The file's name in the storage, with the checksum in it, so that a new image never hides behind an old name; and the
    compression to take away.

    Proxmox VE takes .qcow2, .raw, .vmdk and .ova only; what distributions call .img is qcow2. Containers' templates stay packed.
    """
    name = image.filename or posixpath.basename(urlsplit(image.url).path) or "image"
    short = image.checksum.partition(":")[2][:12].lower()
    if content == "vztmpl":
        matched = re.fullmatch(r"(.*?)(\.tar(?:\.(?:gz|xz|zst|bz2))?)", name)
        if not matched:
            raise Refused(
                f"ostemplate: {name} is no template's name (.tar.zst, .tar.xz, .tar.gz).", "Declare its filename."
            )
        return f"{_plain(matched[1])}-{short}{matched[2]}", ""
    source = posixpath.basename(urlsplit(image.url).path)
    compression = source.rpartition(".")[2] if source.rpartition(".")[2] in COMPRESSIONS else ""
    if compression and name.endswith(f".{compression}"):
        name = name.removesuffix(f".{compression}")
    matched = re.fullmatch(r"(.*)\.(qcow2|raw|vmdk|ova)", name)
    stem, suffix = (matched[1], matched[2]) if matched else (name.removesuffix(".img"), "qcow2")
    return f"{_plain(stem)}-{short}.{suffix}", compression


def _plain(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", stem)


def _volumes(session: Session, node: str, storage: str, guest_type: GuestType) -> set[str]:
    try:
        rows = session.get(join_path("nodes", node, "storage", storage, "content"))
    except SessionError as error:
        raise SourceMissing(
            f"{guest_type.source_option}: the storage {storage} cannot be read on {node}: {error}"
        ) from error
    return {str(row["volid"]) for row in rows if row.get("content") in guest_type.source_content}
