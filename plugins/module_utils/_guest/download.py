# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a large file onto this node: resumed after an interruption, checked, unpacked, and put in place at one stroke.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import bz2
import fcntl
import gzip
import hashlib
import http.client
import lzma
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import GuestError

_BLOCK = 1024 * 1024
_ATTEMPTS = 5
_PAUSE = 2.0
_TIMEOUT = 60
_REPORT_SECONDS = 5.0
_UNPACKERS: dict[str, Callable[..., Any]] = {"gz": gzip.open, "xz": lzma.open, "bz2": bz2.open}
COMPRESSIONS = (*_UNPACKERS, "zst", "lzo")
_QCOW2 = b"QFI\xfb"
#: A download may take minutes, and a module has no other way to say how far it is.
PROGRESS_LOG = Path("/var/log/baremetal-proxmox/download.log")


def log_progress(line: str) -> None:
    PROGRESS_LOG.parent.mkdir(parents=True, exist_ok=True)
    with open(PROGRESS_LOG, "a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


@dataclass(frozen=True)
class Download:
    url: str
    target: Path
    algorithm: str
    checksum: str
    compression: str = ""
    proxy: str = ""

    @property
    def part(self) -> Path:
        """What has come so far; stays after an interruption. The checksum is in its name, as in the target's."""
        return self.target.with_name(f".{self.target.name}.part")


def fetch(download: Download, report: Callable[[str], None] = log_progress) -> None:
    """Nobody ever sees a half file under the final name; of two runs at once, the second finds the file in place."""
    try:
        download.target.parent.mkdir(parents=True, exist_ok=True)
        with _open_locked(download.part) as part:
            _fetch_alone(download, part, report)
    except OSError as error:
        raise GuestError(f"{download.target}: {error}") from error


def _open_locked(path: Path) -> IO[bytes]:
    """Who waited for the lock may have got that of a file which the one before has removed."""
    while True:
        part = open(path, "ab")  # noqa: SIM115 - the caller closes it
        fcntl.flock(part, fcntl.LOCK_EX)
        if path.exists() and os.path.samestat(os.fstat(part.fileno()), path.stat()):
            return part
        part.close()


def _fetch_alone(download: Download, part: IO[bytes], report: Callable[[str], None]) -> None:
    if download.target.exists():
        download.part.unlink(missing_ok=True)
    else:
        report(f"{download.target.name}: from {download.url}")
        _fetch_all(download, part, report)
        _check(download)
        ready = _unpack(download)
        _check_format(download, ready)
        os.chmod(ready, 0o644)
        os.replace(ready, download.target)
        download.part.unlink(missing_ok=True)
        report(f"{download.target.name}: complete")


def _fetch_all(download: Download, part: IO[bytes], report: Callable[[str], None]) -> None:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": download.proxy, "https": download.proxy} if download.proxy else None)
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _fetch_rest(opener, download, part, report)
        except urllib.error.HTTPError as error:
            if error.code == 416 and part.tell():
                return  # nothing is left to fetch
            if error.code < 500 or attempt == _ATTEMPTS:
                raise GuestError(f"{download.url}: HTTP {error.code} {error.reason}.") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == _ATTEMPTS:
                raise GuestError(
                    f"{download.url}: {error}.", "The next run goes on where this one has stopped."
                ) from error
        else:
            return
        time.sleep(_PAUSE)


def _fetch_rest(
    opener: urllib.request.OpenerDirector, download: Download, part: IO[bytes], report: Callable[[str], None]
) -> None:
    there = part.seek(0, os.SEEK_END)
    request = urllib.request.Request(download.url, headers={"Range": f"bytes={there}-"} if there else {})
    with opener.open(request, timeout=_TIMEOUT) as answer:
        if there and answer.status != 206:
            part.truncate(0)
            there = 0
        length = answer.headers.get("Content-Length")
        total = there + int(length) if length else None
        reported = time.monotonic()
        while block := answer.read(_BLOCK):
            part.write(block)
            there += len(block)
            if time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                report(f"{download.target.name}: {there >> 20} MiB" + (f" of {total >> 20} MiB" if total else ""))
        part.flush()
    if total is not None and there < total:
        raise http.client.IncompleteRead(b"", total - there)


def _check(download: Download) -> None:
    with open(download.part, "rb") as file:
        found = hashlib.file_digest(file, download.algorithm).hexdigest()
    if found != download.checksum.lower():
        download.part.unlink()
        raise GuestError(
            f"{download.url} has the {download.algorithm} checksum {found}, not {download.checksum}.",
            "Take the checksum from the publisher; a newer image stands there perhaps.",
        )


def _unpack(download: Download) -> Path:
    if not download.compression:
        return download.part
    unpacked = download.target.with_name(f".{download.target.name}.unpacked")
    try:
        with open(unpacked, "wb") as out:
            if download.compression in _UNPACKERS:
                with _UNPACKERS[download.compression](download.part, "rb") as packed:
                    shutil.copyfileobj(packed, out, _BLOCK)
            else:
                # Python has no module for it; Proxmox VE brings the program for its own backups.
                program = {"zst": "zstd", "lzo": "lzop"}[download.compression]
                done = subprocess.run(  # pylint: disable=ansible-bad-function
                    [program, "-dc", str(download.part)], stdout=out, stderr=subprocess.PIPE, check=False
                )
                if done.returncode:
                    raise GuestError(f"{download.url}: {program} says: {done.stderr.decode(errors='replace').strip()}")
    except (OSError, EOFError, lzma.LZMAError) as error:
        unpacked.unlink(missing_ok=True)
        raise GuestError(f"{download.url} cannot be unpacked ({download.compression}): {error}") from error
    except GuestError:
        unpacked.unlink(missing_ok=True)
        raise
    return unpacked


def _check_format(download: Download, ready: Path) -> None:
    """A name that does not tell the truth would be imported as something else."""
    suffix = download.target.suffix
    if suffix not in (".qcow2", ".raw"):
        return
    with open(ready, "rb") as file:
        found = ".qcow2" if file.read(4) == _QCOW2 else ".raw"
    if found != suffix:
        stem = download.url.rpartition("/")[2].partition(".")[0]
        raise GuestError(
            f"{download.url} is an image in the format {found[1:]}, not {suffix[1:]}.",
            f"Declare its filename, for example {stem}{found}.",
        )
