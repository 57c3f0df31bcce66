# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""watchdog-mux: resets the node when one of the HA daemons falls silent while it guards services."""

from __future__ import annotations

import ctypes
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SOCKET = Path("/run/watchdog-mux.sock")
MARKER = Path("/run/watchdog-mux.active")
# a silent client is given up after 60 s; the device behind fires 10 s after the last feeding
CLIENT_TIMEOUT, DEVICE_TIMEOUT = 60, 10
_RESTART = 0x01234567


@dataclass
class Client:
    """One daemon; closed without the magic letter it counts as silent."""

    fed: float
    said_goodbye: bool = False


class Multiplexer:
    """All clients, and when the device was fed last."""

    def __init__(self, now: float) -> None:
        self.clients: dict[int, Client] = {}
        self._fed = now
        self._gave_up = False

    def receive(self, key: int, data: bytes, now: float) -> bool:
        """What a client sent; False when its connection is over (which only a goodbye makes harmless)."""
        client = self.clients[key]
        if data:
            client.said_goodbye = data.endswith(b"V")
            client.fed = now
            return True
        if client.said_goodbye:
            del self.clients[key]
        else:
            print("client did not stop watchdog - disable watchdog updates", file=sys.stderr, flush=True)
            self._gave_up = True
        return False

    def must_reset(self, now: float) -> bool:
        """Feed the device, or see it fire."""
        if not self._gave_up and any(now - client.fed > CLIENT_TIMEOUT for client in self.clients.values()):
            print("client watchdog expired - disable watchdog updates", file=sys.stderr, flush=True)
            self._gave_up = True
        if not self._gave_up:
            self._fed = now
        return now - self._fed > DEVICE_TIMEOUT


def main(_argv: Sequence[str]) -> int:
    """Serve until the end of the node, which may be this program's doing."""
    SOCKET.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, selectors.DefaultSelector() as selector:
        listener.bind(str(SOCKET))
        listener.listen(16)
        MARKER.mkdir(exist_ok=True)
        selector.register(listener, selectors.EVENT_READ)
        try:
            _serve(listener, selector)
        finally:
            SOCKET.unlink(missing_ok=True)
    return 0


def _serve(listener: socket.socket, selector: selectors.DefaultSelector) -> None:
    multiplexer = Multiplexer(time.monotonic())
    while True:
        for ready, _events in selector.select(timeout=1):
            if ready.fileobj is listener:
                connection, _address = listener.accept()
                selector.register(connection, selectors.EVENT_READ, connection)
                multiplexer.clients[connection.fileno()] = Client(time.monotonic())
            elif not multiplexer.receive(ready.fd, ready.data.recv(64), time.monotonic()):
                selector.unregister(ready.data)
                ready.data.close()
        if multiplexer.must_reset(time.monotonic()):
            # no unmounting, no goodbye: what a hardware watchdog does
            ctypes.CDLL(None).reboot(_RESTART)
            time.sleep(DEVICE_TIMEOUT)
