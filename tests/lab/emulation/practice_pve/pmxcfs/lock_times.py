# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when each directory below priv/lock/ is held: pmxcfs lets go of a lock that nobody renewed for two minutes."""

from __future__ import annotations

import time

from practice_pve.pmxcfs.entry import Entry
from practice_pve.pmxcfs.log import log

LOCK_TIMEOUT = 120


class LockTimes:
    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, float]] = {}

    def start(self, path: str, digest: bytes) -> None:
        self._held[path] = (digest, int(time.time()))

    def forget(self, path: str) -> None:
        self._held.pop(path, None)

    def reload(self, root: Entry) -> None:
        """A loaded tree's locks count from now on."""
        self._held = {}
        private = root.children.get("priv")
        directory = private.children.get("lock") if private is not None else None
        for entry in directory.children.values() if directory is not None else ():
            if entry.is_directory:
                self.start(f"priv/lock/{entry.name}", entry.digest())

    def expired(self, path: str, digest: bytes) -> bool:
        held = self._held.get(path)
        if held is None:
            self.start(path, digest)
            return False
        if held[0] != digest:
            log.critical("main", "wrong lock csum - reset timeout")
            self.start(path, digest)
            return False
        return int(time.time()) - held[1] > LOCK_TIMEOUT
