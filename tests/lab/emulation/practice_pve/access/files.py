# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the access system below /etc/pve: reading, writing under their lock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from practice_pve.rest.errors import ApiError

ROOT = Path(os.environ.get("PRACTICE_PVE_ROOT", "/etc/pve"))


def read_text(name: str) -> str | None:
    """Return a file's content, None when there is none."""
    try:
        return (ROOT / name).read_text(encoding="utf-8", errors="surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ApiError(f"unable to open file '{ROOT / name}' - {error.strerror}\n") from None


@dataclass(frozen=True)
class Snapshot:
    """A file's content and when it was written."""

    text: str
    written: float


def snapshot(name: str) -> Snapshot | None:
    """Return a file as it was at most a second ago: keys are asked for with every request and change once a day."""
    return read_snapshot(name, int(time.monotonic()))


@lru_cache(maxsize=16)
def read_snapshot(name: str, _second: int) -> Snapshot | None:
    """Read the file (once per second and name)."""
    text = read_text(name)
    return Snapshot(text, modification_time(name) or 0.0) if text else None


def modification_time(name: str) -> float | None:
    """Return when a file was written, None when there is none."""
    try:
        return (ROOT / name).stat().st_mtime
    except OSError:
        return None


def write_text(name: str, text: str) -> None:
    """Replace a file as PVE does: a temporary one, then a rename."""
    target = ROOT / name
    temporary = target.with_name(f"{target.name}.tmp.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
        temporary.replace(target)
    except OSError as error:
        raise ApiError(f"unable to open file '{temporary}' - {error.strerror}\n") from None


@contextmanager
def locked(name: str, failure: str = "", timeout: int = 10) -> Iterator[None]:
    """Hold the cluster-wide lock of a file; every error inside gets ``failure`` as prefix, as PVE's lock_user_config."""
    lock_name = "file-" + name.replace(".", "_").replace("/", "_")
    try:
        if Path("/etc/pve") == ROOT:
            from practice_pve.pmxcfs import client

            with client.cfs_lock(lock_name, timeout=timeout):
                yield
        else:
            yield
    except ApiError as error:
        # an exception with a code keeps its own text
        if failure and not error.show_status:
            raise ApiError(f"{failure}: {error.message}", exit_code=error.exit_code) from None
        raise


def is_quorate() -> bool:
    """PVE's check_cfs_quorum."""
    if Path("/etc/pve") != ROOT:
        return True
    from practice_pve.pmxcfs import client

    return bool(client.is_quorate())
