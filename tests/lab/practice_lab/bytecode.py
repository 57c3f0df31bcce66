# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulation's compiled modules, made once per state of its sources: three nodes booting need not compile 300 modules each.

A node writes what is missing or stale by itself (into its own /var/cache/practice-node), so nothing depends on this.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from .completed import run_program
from .places import EMULATION, cache_directory

SOURCES = EMULATION / "practice_pve"
IN_NODE = "usr/lib/practice-node/practice_pve"
CACHE_IN_NODE = "var/cache/practice-node"

PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation=private")
# Compiled by the node's own Python where the node will see the sources, so that the paths in the code agree.
COMPILE = f"""
mount --bind "$1" "$2/{IN_NODE}"
mount --bind "$3" "$2/mnt"
exec chroot "$2" /usr/bin/python3 -ISc "$4"
"""
PROGRAM = (
    f"import compileall, sys; sys.pycache_prefix = '/mnt'; sys.exit(not compileall.compile_dir('/{IN_NODE}', quiet=2))"
)


def lay_out(lower: Path, root: Path) -> None:
    """Put the compiled modules into a new node's root."""
    if not SOURCES.is_dir():
        return
    compiled = _ensure_compiled(lower)
    if compiled is not None:
        # Another lab may forget this set while it is copied: the node then compiles what it lacks.
        with suppress(shutil.Error, FileNotFoundError):
            os.utime(compiled)
            shutil.copytree(compiled, root / CACHE_IN_NODE, dirs_exist_ok=True)


def _state_of_sources(lower: Path) -> str:
    """Compiled code is tied to time and size of its source, and to the Python that reads it."""
    digest = hashlib.sha256(lower.name.encode())
    for path in sorted(SOURCES.rglob("*.py")):
        status = path.stat()
        digest.update(f"{path.relative_to(SOURCES)} {int(status.st_mtime)} {status.st_size}\n".encode())
    return digest.hexdigest()[:16]


def _ensure_compiled(lower: Path) -> Path | None:
    finished = cache_directory() / "bytecode" / _state_of_sources(lower)
    if finished.is_dir():
        return finished
    building = finished.with_name(f"{finished.name}.building.{os.getpid()}.{os.urandom(2).hex()}")
    building.mkdir(parents=True)
    done = run_program(
        [*PRIVATE_MOUNTS, "sh", "-ec", COMPILE, "sh", str(SOURCES), str(lower), str(building), PROGRAM], timeout=300
    )
    if done.rc != 0:
        shutil.rmtree(building, ignore_errors=True)
        return None
    _forget_older(finished.parent)
    try:
        building.rename(finished)
    except OSError:  # another lab was faster: its set is as good
        shutil.rmtree(building, ignore_errors=True)
    return finished


def _forget_older(directory: Path, keep: int = 6) -> None:
    sets = sorted((path for path in directory.iterdir() if "." not in path.name), key=lambda path: path.stat().st_mtime)
    for path in sets[:-keep]:
        shutil.rmtree(path, ignore_errors=True)
