# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of the HA daemons: what they do lies in practice_pve.ha.rounds."""

from __future__ import annotations

import signal
import syslog
import time
import traceback
from collections.abc import Callable

from practice_pve.ha import rounds
from practice_pve.ha.cluster_manager import ClusterManager
from practice_pve.ha.local_manager import LocalManager

# after a round that failed
RETRY_SECONDS = 5.0
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


def prepare_loop(kind: str) -> Callable[[], None]:
    """Return the daemon's loop."""
    manager = rounds.lrm() if kind == "lrm" else rounds.crm()
    return lambda: run_rounds(manager)


def run_rounds(manager: ClusterManager | LocalManager) -> None:
    """Call round after round; SIGTERM asks the manager to end, which may take it some rounds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    while True:
        started = time.monotonic()
        try:
            seconds = manager.round()
        except Exception:  # noqa: BLE001 - one bad round must not end the daemon
            syslog.syslog(syslog.LOG_ERR, f"got unexpected error - {traceback.format_exc()}")
            seconds = None if manager.wants_to_end else RETRY_SECONDS
        if seconds is None:
            return
        if _term_arrives(max(0.1, seconds - (time.monotonic() - started))):
            manager.request_shutdown()


def _term_arrives(seconds: float) -> bool:
    """Wait; True at once when the daemon is to end. SIGHUP only ends the pause."""
    received = signal.sigtimedwait(_SIGNALS, seconds)
    return received is not None and received.si_signo != signal.SIGHUP
