# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a machine fit for many practice nodes at a time, and rid it of what killed test runs left behind."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from environments import ROOT

INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
# A node takes up to 10 of them, and all nodes share the limit of the machine's root. Linux starts with 128.
INOTIFY_INSTANCES = 2048
# Labs of tests carry the id of the process that made them.
LAB_OF_A_TEST = re.compile(r"test(\d+)(?:[a-z].*)?")


def raise_inotify_limit(limit: Path = INOTIFY_LIMIT, wanted: int = INOTIFY_INSTANCES) -> str:
    """Until the next boot of the machine. Returns what there is to say about it."""
    try:
        present = int(limit.read_text(encoding="ascii"))
        if present >= wanted:
            return ""
        limit.write_text(f"{wanted}\n", encoding="ascii")
    except OSError as error:
        return f"fs.inotify.max_user_instances cannot be raised to {wanted} ({error.strerror}): nodes may fail to boot"
    return (
        f"raised fs.inotify.max_user_instances from {present} to {wanted} (until the next boot) for the practice nodes"
    )


def remove_dead_labs() -> Iterator[str]:
    """Take down the labs of test runs that are over, and say which."""
    sys.path.insert(0, str(ROOT / "tests" / "lab"))
    from practice_lab.errors import LabError
    from practice_lab.lab import Lab, known_labs

    for name in labs_of_dead_processes(known_labs(), lambda name: last_change(Lab(name).directory)):
        try:
            Lab(name).down()
        except (LabError, OSError) as error:
            yield f"the lab {name} of a test run that is over cannot be removed: {error}"
        else:
            yield f"removed the lab {name} of a test run that is over"


def labs_of_dead_processes(names: Iterable[str], changed: Callable[[str], float | None]) -> list[str]:
    """Those whose process has ended; a process that started after the lab's last change only has the same number."""
    dead = []
    for name in names:
        match = LAB_OF_A_TEST.fullmatch(name)
        if not match:
            continue
        started = start_of_process(int(match[1]))
        last = changed(name)
        if started is None or (last is not None and started > last + 1):
            dead.append(name)
    return dead


def last_change(directory: Path) -> float | None:
    try:
        return directory.stat().st_mtime
    except OSError:
        return None


def start_of_process(pid: int) -> float | None:
    """When a process started, in seconds since the epoch; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except OSError:
        return None
    if fields[0] == "Z":
        return None
    return time.time() - uptime + int(fields[19]) / os.sysconf("SC_CLK_TCK")
