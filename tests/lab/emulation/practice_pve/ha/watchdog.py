# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of watchdog-mux: while the connection is open and not fed, the node is reset."""

from __future__ import annotations

import socket
from collections.abc import Callable

SOCKET = "/run/watchdog-mux.sock"


class Watchdog:
    """One connection, opened with the first feeding."""

    def __init__(self, log: Callable[[str, str], None], path: str = SOCKET) -> None:
        self._log = log
        self._path = path
        self._connection: socket.socket | None = None

    def feed(self) -> None:
        """Say that this process is in control."""
        try:
            if self._connection is None:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                connection.connect(self._path)
                self._connection = connection
                self._log("info", "watchdog active")
            self._connection.sendall(b"\0")
        except OSError as error:
            self._log("err", f"watchdog update failed - {error.strerror}")

    def close(self) -> None:
        """Say that no watchdog is needed any more."""
        if self._connection is None:
            return
        try:
            self._connection.sendall(b"V")
        except OSError as error:
            self._log("err", f"watchdog close failed - {error.strerror}")
        self._connection.close()
        self._connection = None
        self._log("info", "watchdog closed (disabled)")
