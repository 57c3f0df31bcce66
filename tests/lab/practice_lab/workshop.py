# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place to build in: the practice nodes' root with tools on top, thrown away afterwards, the same on every host."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from .completed import run_program

# Arguments: upper and work directories' parent, lower directories, sources, output, then the command.
_ENTER = """
place=$1 lower=$2 sources=$3 output=$4; shift 4
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$place/upper,workdir=$place/work" overlay "$place/root"
mkdir "$place/root/mnt/sources" "$place/root/mnt/output"
mount --bind "$sources" "$place/root/mnt/sources"
mount --bind "$output" "$place/root/mnt/output"
mount --rbind /dev "$place/root/dev"
mount -t proc proc "$place/root/proc"
mount -t tmpfs tmpfs "$place/root/tmp"
exec chroot "$place/root" "$@"
"""


def build(lower: Sequence[Path], sources: Path, output: Path, command: Sequence[str], timeout: float = 600) -> None:
    """Run a command where /mnt/sources and /mnt/output are; lower are the directories that it sees, topmost first."""
    with tempfile.TemporaryDirectory(prefix="practice-workshop-", dir=output.parent) as place:
        layers = ":".join(str(path) for path in lower)
        enter = ["unshare", "--mount", "--propagation=private", "sh", "-euc", _ENTER, "sh"]
        argv = [*enter, place, layers, str(sources), str(output), *command]
        run_program(argv, timeout=timeout, shown_argv=command).check()
