# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's file system: an overlay of the cached root and the node's own writable layer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from .completed import must_run, run_program
from .errors import LabError
from .places import PREFIX


def all_mounts() -> list[tuple[str, Path]]:
    """(source, mount point) of every mount on this host that names a lab as its source."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        source = after.split()[1]
        if source.startswith(PREFIX):
            found.append((source, Path(before.split()[4].encode().decode("unicode_escape"))))
    return found


def mounts_below(directory: Path) -> list[Path]:
    """Every mount point in a directory, in the order in which they were made."""
    points = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    found = [Path(point.encode().decode("unicode_escape")) for point in points]
    return [point for point in found if point.is_relative_to(directory)]


def lower_directories() -> set[Path]:
    """The roots that mounted nodes stand on."""
    options = (
        line.split()[-1] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - overlay " in line
    )
    return {
        Path(part)
        for option in ",".join(options).split(",")
        if option.startswith("lowerdir=")
        for part in option.removeprefix("lowerdir=").split(":")
    }


def mounts_of(identifier: str) -> list[Path]:
    """Mount points that carry the given node's name as source, in the order in which they were made."""
    return [target for source, target in all_mounts() if source == identifier]


def disk_of(directory: Path) -> Path:
    """Where a node's disk of limited size is mounted, if it has one."""
    return directory / "disk"


def is_limited(identifier: str, directory: Path) -> bool:
    return disk_of(directory) in mounts_of(identifier)


def mount_root(identifier: str, lower: Sequence[Path], directory: Path) -> Path:
    """Mount directory/root = lower (topmost first) + the node's writable layer; returns it. Mounted already: nothing happens."""
    target = directory / "root"
    mounted = mounts_of(identifier)
    if target in mounted:
        return target
    base = disk_of(directory) if disk_of(directory) in mounted else directory
    for path in (base / "upper", base / "work", target):
        path.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={base / 'upper'},workdir={base / 'work'}"
    must_run(["mount", "-t", "overlay", "-o", options, identifier, str(target)])
    return target


def move_to_limited_disk(identifier: str, directory: Path, spare: int) -> None:
    """Give a node that is off a writable layer with a limit: what it holds now and "spare" bytes."""
    unmount_root(identifier)
    disk = disk_of(directory)
    disk.mkdir(exist_ok=True)
    must_run(["mount", "-t", "tmpfs", "-o", "mode=0700,size=75%", identifier, str(disk)])
    must_run(["cp", "-a", str(directory / "upper"), str(disk)], timeout=300)
    must_run(["mount", "-o", f"remount,size={shutil.disk_usage(disk).used + spare}", str(disk)])


def unmount_root(identifier: str) -> None:
    """Unmount everything that carries the node's name, also below a mount that was made on top of it."""
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
