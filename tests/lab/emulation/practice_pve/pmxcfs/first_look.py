# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether corosync was there in the moment this process began.

A join and a creation start corosync and pmxcfs together. The real pmxcfs, a small C program, knocks first, finds nobody
and comes back six seconds later; that is the time in which the new member is not writable. This daemon needs a tenth of
a second longer to get going and would meet corosync at its first knock, which would be kinder than the real node. So the
look is taken as early as possible, and a first attempt counts as failed if nobody was there then.
"""

from __future__ import annotations

SOCKET_TABLE = "/proc/net/unix"
LIBRARY_SOCKETS = ("quorum", "cmap", "cpg")


def listening(table: str, names: tuple[str, ...] = LIBRARY_SOCKETS) -> bool:
    """Whether corosync's abstract sockets (padded with zeroes, shown as @) are in the kernel's table."""
    found = {line.split()[-1].strip("@\0") for line in table.splitlines() if "@" in line}
    return set(names) <= found


def look() -> bool:
    with open(SOCKET_TABLE, encoding="utf-8", errors="replace") as stream:
        return listening(stream.read())


COROSYNC_WAS_THERE = look()
