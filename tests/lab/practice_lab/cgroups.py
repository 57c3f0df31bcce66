# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cgroup of its own for every node, on hosts where no systemd hands them out.

Without it two containers started from one cgroup would manage the same "payload" group below it, and stopping a
service in one node would kill its namesake in the other.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from .places import PREFIX

CGROUPS = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """The hierarchies that a systemd in a container manages: the only one (v2), or the named and the unified one (v1)."""
    if (CGROUPS / "cgroup.controllers").exists():
        own = next(
            (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/"
        )
        return [CGROUPS / own.lstrip("/")]
    return [path for path in (CGROUPS / "systemd", CGROUPS / "unified") if path.is_dir()]


def in_own_cgroup(identifier: str, argv: list[str]) -> list[str]:
    """Wrap a command so that it first moves itself into fresh cgroups of the node's name."""
    script = 'n=$1; shift; while [ "$1" != -- ]; do mkdir -p "$1/$n" && echo $$ >"$1/$n/cgroup.procs" || exit; shift; done; shift; exec "$@"'
    return ["/bin/sh", "-c", script, "sh", identifier, *map(str, hierarchies()), "--", *argv]


def cgroup_names() -> list[str]:
    return sorted({path.name for hierarchy in hierarchies() for path in hierarchy.glob(f"{PREFIX}*") if path.is_dir()})


def remove_cgroups(identifier: str) -> None:
    """Remove a node's emptied cgroups, deepest first. A just killed process may keep one busy for a moment."""
    for hierarchy in hierarchies():
        top = hierarchy / identifier
        for _ in range(20):
            busy = False
            for directory, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    busy = True
            if not busy:
                break
            time.sleep(0.05)
