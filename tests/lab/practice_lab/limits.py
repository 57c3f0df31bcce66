# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does this host have room for more nodes? Asked before, because a node that lacks something dies with an odd message."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import LabError

INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INSTANCES_PER_NODE = 10  # counted: 7 in an idle node


def require_room_for(nodes: int) -> None:
    """Raise LabError when the limit of inotify instances, which all containers share with the host's root, is too low."""
    limit = int(INOTIFY_LIMIT.read_text())
    used = count_inotify_instances()
    if used + nodes * INSTANCES_PER_NODE > limit:
        raise LabError(
            f"{nodes} more nodes need {nodes * INSTANCES_PER_NODE} inotify instances, and {used} of {limit} are in use; "
            f"raise the limit: sysctl -w fs.inotify.max_user_instances={max(1024, 2 * limit)}"
        )


def count_inotify_instances() -> int:
    """Those of all processes of root, in containers as well."""
    count = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.stat(f"/proc/{entry}").st_uid != 0:
                continue
            for descriptor in os.listdir(f"/proc/{entry}/fd"):
                count += os.readlink(f"/proc/{entry}/fd/{descriptor}") == "anon_inode:inotify"
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return count
