# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's file system: an overlay of the cached root and the node's own writable layer."""

from __future__ import annotations

import shutil
from pathlib import Path

from .completed import must_run, run_program
from .errors import LabError


def mounts_of(identifier: str) -> list[Path]:
    """Mount points of the overlays that carry the given name as source, innermost last."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[1] == identifier:
            found.append(Path(before.split()[4].encode().decode("unicode_escape")))
    return found


def all_overlays() -> list[tuple[str, Path]]:
    """(source, mount point) of every overlay on this host."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, source = after.split()[:2]
        if kind == "overlay":
            found.append((source, Path(before.split()[4].encode().decode("unicode_escape"))))
    return found


def mount_root(identifier: str, lower: Path, directory: Path) -> Path:
    """Mount directory/root = lower + directory/upper; returns it. Mounted already: nothing happens."""
    target = directory / "root"
    if target in mounts_of(identifier):
        return target
    for name in ("upper", "work", "root"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={lower},upperdir={directory / 'upper'},workdir={directory / 'work'}"
    must_run(["mount", "-t", "overlay", "-o", options, identifier, str(target)])
    return target


def unmount_root(identifier: str) -> None:
    """Unmount every overlay of that name, also below a mount that was made on top of it."""
    for _ in range(8):
        mounted = mounts_of(identifier)
        if not mounted:
            return
        for target in reversed(mounted):
            if run_program(["umount", "-R", str(target)]).rc != 0:
                run_program(["umount", "-R", "-l", str(target)])
    raise LabError(f"cannot unmount {', '.join(map(str, mounts_of(identifier)))}")


def forget(directory: Path) -> None:
    """Delete a node's writable layer. The overlay's work directory has mode 000 entries; root does not mind."""
    if directory.exists():
        shutil.rmtree(directory)
