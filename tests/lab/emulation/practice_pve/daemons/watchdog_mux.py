# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""watchdog-mux: holds the watchdog for the HA daemons. In a container it never fires."""

from __future__ import annotations

import signal
import socket
from collections.abc import Sequence
from pathlib import Path

SOCKET = Path("/run/watchdog-mux.sock")


def main(_argv: Sequence[str]) -> int:
    """Accept clients and read what they send until the end."""
    SOCKET.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(SOCKET))
        listener.listen(16)
        Path("/run/watchdog-mux.active").mkdir(exist_ok=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    SOCKET.unlink(missing_ok=True)
    return 0
