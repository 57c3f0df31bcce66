# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that are built once and then shared read-only by all labs."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import layers
from .completed import must_run


def build_once(finished: Path, title: str, build: Callable[[Path], None]) -> Path:
    """Return the finished directory; when it is missing, let `build` fill a new one and give it its name at the end."""
    if finished.is_dir():
        return finished
    finished.parent.mkdir(parents=True, exist_ok=True)
    with _build_lock(finished.parent / f"{finished.name}.lock"):
        if finished.is_dir():  # another builder was faster
            return finished
        for leftover in finished.parent.glob(f"{finished.name}.building.*"):
            remove_tree(leftover)
        building = finished.parent / f"{finished.name}.building.{os.getpid()}"
        started = time.monotonic()
        print(f"building {title} in {finished} (once) ...", file=sys.stderr, flush=True)
        build(building)
        building.rename(finished)
        print(f"built {title} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return finished


def remove_tree(directory: Path) -> None:
    """Delete what a build left. One that was killed may leave /proc, /sys and more mounted: to delete these would be to delete the host's."""
    for target in reversed(layers.mounts_below(directory)):
        must_run(["umount", "-l", str(target)])
    shutil.rmtree(directory)


def forget_older(newest: Path, kind: re.Pattern[str], keep: int = 2) -> None:
    """Earlier directories of the same kind, but for the latest of them and what nodes that are up stand on. Their locks stay: they are empty."""
    older = [path for path in newest.parent.iterdir() if kind.fullmatch(path.name) and path != newest]
    older.sort(key=lambda path: path.stat().st_ctime, reverse=True)
    for path in older[keep - 1 :]:
        if path not in layers.lower_directories():
            print(f"removing what is older, {path}", file=sys.stderr, flush=True)
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _build_lock(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
