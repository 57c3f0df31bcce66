# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PVE's own lock around every change of corosync.conf: a directory in /etc/pve, which expires after two minutes.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.guard_script import PVE_LOCK
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import config_guard

_LOCK = Path(PVE_LOCK)
_LOCK_SECONDS = 12.0


class ConfigLock:
    def __init__(self) -> None:
        self._is_left = False

    @contextmanager
    def held(self) -> Iterator[None]:
        _acquire()
        try:
            config_guard.note_lock()
            yield
        finally:
            config_guard.forget_lock()
            self._is_left = True
            self.give_back()

    def give_back(self) -> bool:
        """Again after a change that has cost the quorum, and with it the way to take the lock away, once the quorum is back."""
        if self._is_left:
            try:
                _LOCK.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return False
            self._is_left = False
        return True


def _acquire() -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            _LOCK.parent.mkdir(exist_ok=True)
            _LOCK.mkdir()
            return
        except FileExistsError:
            try:
                # Asks pmxcfs to take the lock of a dead holder away.
                os.utime(_LOCK, (0, 0))
            except OSError:
                pass
        except OSError as error:
            raise Refused(f"/etc/pve cannot be written: {error}", "Look at the quorum: pvecm status.") from error
        if time.monotonic() > deadline:
            raise Refused("Somebody else is changing corosync.conf; nothing was written.", "Run again in a minute.")
        time.sleep(1)
