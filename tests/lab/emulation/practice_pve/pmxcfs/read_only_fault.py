# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planted fault `read_only`: /etc/pve refuses every write although corosync is content."""

from __future__ import annotations

import json
import os
import time

from practice_pve.settings import SETTINGS_FILE


class ReadOnlyFault:
    """Follows the settings file while the daemon runs, so that a test can switch the fault."""

    CHECK_SECONDS = 0.5

    def __init__(self, settings_file: str = SETTINGS_FILE) -> None:
        self._file = settings_file
        self._checked = 0.0
        self._changed: int | None = None
        self._planted = False

    def planted(self) -> bool:
        now = time.monotonic()
        if now - self._checked >= self.CHECK_SECONDS:
            self._checked = now
            self._read()
        return self._planted

    def _read(self) -> None:
        try:
            changed = os.stat(self._file).st_mtime_ns
            if changed != self._changed:
                with open(self._file, encoding="utf-8") as stream:
                    self._planted = bool(json.load(stream).get("read_only", False))
                self._changed = changed
        except FileNotFoundError:
            self._planted, self._changed = False, None
        except ValueError:
            return  # half written: the next look will find it whole
