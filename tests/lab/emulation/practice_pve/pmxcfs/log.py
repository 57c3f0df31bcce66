# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pmxcfs's log: `[domain] level: text` to syslog, and to stderr until the daemon has detached."""

from __future__ import annotations

import sys
import syslog

_LEVELS = {"crit": syslog.LOG_CRIT, "notice": syslog.LOG_NOTICE, "debug": syslog.LOG_DEBUG}


class Log:
    def __init__(self) -> None:
        self.debug_enabled = False
        self.to_stderr = True
        syslog.openlog("pmxcfs", syslog.LOG_PID, syslog.LOG_DAEMON)

    def _write(self, domain: str, level: str, text: str) -> None:
        line = f"[{domain}] {level}: {text}"
        syslog.syslog(_LEVELS[level], line)
        if self.to_stderr:
            print(line, file=sys.stderr, flush=True)

    def critical(self, domain: str, text: str) -> None:
        self._write(domain, "crit", text)

    def notice(self, domain: str, text: str) -> None:
        self._write(domain, "notice", text)

    def debug(self, domain: str, text: str) -> None:
        if self.debug_enabled:
            self._write(domain, "debug", text)


log = Log()
