# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon that does something every few seconds."""

from __future__ import annotations

import signal
import syslog
import time
import traceback
from collections.abc import Callable


def loop(work: Callable[[], None], seconds: float) -> Callable[[], None]:
    """Return a loop that calls ``work`` every ``seconds`` until SIGTERM; SIGHUP calls it at once."""

    def run() -> None:
        wanted = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
        while True:
            started = time.monotonic()
            try:
                work()
            except Exception:  # noqa: BLE001 - one bad round must not end the daemon
                syslog.syslog(syslog.LOG_ERR, f"status update error: {traceback.format_exc()}")
            received = signal.sigtimedwait(wanted, max(0.1, seconds - (time.monotonic() - started)))
            if received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT):
                return

    return run
