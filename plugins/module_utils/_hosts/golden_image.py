# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A golden image: brought once, checked by its hash, never modified, and an interrupted download goes on where it stopped.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.error
from pathlib import Path

from ansible.module_utils.urls import open_url

_CHUNK = 1024 * 1024
PARTIAL = ".part"


class ImageError(Exception):
    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.remedy = remedy


def hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def demand_unmodified(path: Path, checksum: str) -> None:
    """An image that overlays stand on is never replaced: they would be worthless."""
    found = hash_of(path)
    if found != checksum:
        raise ImageError(
            f"{path} has the SHA-256 {found}, not {checksum}.",
            "Somebody wrote to it, or another image is wanted: then give it another name.",
        )


def bring(source: str, path: Path, checksum: str, timeout: int = 60) -> int:
    """Fetch, check, and put in place. Returns how many bytes came from an earlier, interrupted try."""
    partial = Path(str(path) + PARTIAL)
    kept = partial.stat().st_size if partial.exists() else 0
    try:
        if source.startswith(("http://", "https://")):
            kept = _download(source, partial, kept, timeout)
        else:
            kept = 0
            shutil.copyfile(source.removeprefix("file://"), partial)
    except OSError as error:
        raise ImageError(
            f"{source} cannot be fetched: {getattr(error, 'reason', None) or error}.",
            "What has come is kept; the next run goes on.",
        ) from error
    found = hash_of(partial)
    if found != checksum:
        partial.unlink()
        raise ImageError(
            f"{source} has the SHA-256 {found}, not {checksum}.", "Correct the checksum, or the image's address."
        )
    partial.chmod(0o444)
    os.replace(partial, path)
    return kept


def _download(source: str, partial: Path, kept: int, timeout: int) -> int:
    try:
        answer = open_url(source, headers={"Range": f"bytes={kept}-"} if kept else {}, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and kept:  # nothing is missing
            return kept
        raise
    with answer:
        # A server that knows no ranges sends all of it again.
        is_rest = answer.status == 206
        with partial.open("ab" if is_rest else "wb") as stream:
            shutil.copyfileobj(answer, stream, _CHUNK)
            stream.flush()
            os.fsync(stream.fileno())
    return kept if is_rest else 0
