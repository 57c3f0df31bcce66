# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two long-held locks of HA: directories below priv/lock whose time is renewed round by round."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from practice_pve.pmxcfs.cfs_lock import LOCK_DIRECTORY

# pmxcfs lets a lock go that nobody renewed for so long
LIFETIME = 120


class ClusterLocks:
    """What this process holds."""

    def __init__(self, log: Callable[[str, str], None], directory: str = LOCK_DIRECTORY) -> None:
        self._log = log
        self._directory = directory
        self._since: dict[str, float] = {}
        self._held: set[str] = set()

    def get(self, name: str) -> bool:
        """Take or renew a lock; False when another node has it or /etc/pve cannot be written."""
        try:
            self._take(name)
        except OSError as error:
            if name in self._held:
                self._log("err", f"lost lock '{name}' - {error.strerror}")
                self._held.discard(name)
            return False
        if name not in self._held:
            self._log("info", f"successfully acquired lock '{name}'")
            self._held.add(name)
        return True

    def _take(self, name: str) -> None:
        path, now = f"{self._directory}/{name}", time.time()
        if not os.path.isdir(self._directory):
            os.mkdir(self._directory)
        # renewing is allowed as long as the lock cannot have become somebody else's
        if now - self._since.get(name, 0.0) < LIFETIME:
            os.utime(path, (0, now))
        else:
            try:
                os.mkdir(path)
            except FileExistsError:
                # the request to let an expired lock go; the next try may succeed
                os.utime(path, (0, 0))
                raise
        self._since[name] = now

    def release(self, name: str) -> None:
        """Give a lock up."""
        self._since.pop(name, None)
        self._held.discard(name)
        try:
            os.rmdir(f"{self._directory}/{name}")
        except OSError as error:
            self._log("notice", f"lock '{name}' release failed - {error.strerror}")
