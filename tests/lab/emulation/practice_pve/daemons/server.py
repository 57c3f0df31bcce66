# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listening daemon: one small master, a process per connection. SIGHUP reloads, SIGTERM ends."""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import ssl
import syslog
import traceback
from collections.abc import Callable
from pathlib import Path

from .connection import Answer, Connection

MAX_CONNECTIONS = 500
RETRY_SECONDS = 5


class Server:
    """Accepts connections and forks. ``make_context`` loads the certificate, again at every reload."""

    def __init__(
        self,
        listener: socket.socket,
        answer: Answer,
        make_context: Callable[[], ssl.SSLContext] | None = None,
        log_file: Path | None = None,
    ) -> None:
        self.listener = listener
        self.answer = answer
        self.make_context = make_context
        self.log_file = log_file
        self.context: ssl.SSLContext | None = None
        self.children: set[int] = set()
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        os.set_blocking(self.wake_read, False)
        self.reload_wanted = False
        self.stop_wanted = False

    def run(self) -> None:
        """Serve until SIGTERM."""
        preload_api()
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, self.on_signal)
        signal.signal(signal.SIGTERM, self.on_signal)
        signal.signal(signal.SIGINT, self.on_signal)
        signal.signal(signal.SIGCHLD, self.on_signal)
        self.load_context()
        while not self.stop_wanted:
            self.step()
        self.listener.close()
        self.end_children()

    def on_signal(self, number: int, _frame: object) -> None:
        """Remember what is wanted; the loop acts."""
        if number == signal.SIGHUP:
            self.reload_wanted = True
        elif number in (signal.SIGTERM, signal.SIGINT):
            self.stop_wanted = True

    def step(self) -> None:
        """Wait for a connection or a signal, act on it."""
        serving = self.make_context is None or self.context is not None
        watched: list[int | socket.socket] = [self.wake_read]
        if serving and len(self.children) < MAX_CONNECTIONS:
            watched.append(self.listener)
        readable, _, _ = select.select(watched, [], [], None if serving else RETRY_SECONDS)
        if self.wake_read in readable:
            os.read(self.wake_read, 4096)
        self.reap()
        if self.reload_wanted:
            self.reload_wanted = False
            syslog.syslog("restarting server")
            self.end_children()
            self.load_context()
        elif not serving:
            self.load_context()
        elif self.listener in readable:
            self.accept()

    def load_context(self) -> None:
        """Load the certificate. Without one the port stays open and nobody answers, as with PVE's dying workers."""
        if self.make_context is None:
            return
        try:
            self.context = self.make_context()
        except (OSError, ssl.SSLError) as error:
            self.context = None
            syslog.syslog(syslog.LOG_ERR, f"failed to load local private key (key_file or key): {error}")

    def accept(self) -> None:
        """Fork a process for the next connection."""
        try:
            client, address = self.listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        pid = os.fork()
        if pid:
            self.children.add(pid)
            client.close()
            return
        status = 0
        try:
            self.serve(client, str(address[0]))
        except Exception:  # noqa: BLE001 - the traceback belongs into the journal
            traceback.print_exc()
            status = 1
        finally:
            os._exit(status)

    def serve(self, client: socket.socket, peer: str) -> None:
        """The child's part."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self.listener.close()
        os.close(self.wake_read)
        os.close(self.wake_write)
        client.setblocking(True)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Connection(client, peer.removeprefix("::ffff:"), self.answer, self.log_file).serve(self.context)

    def reap(self) -> None:
        """Collect ended children (tasks that a child left behind are not ours)."""
        for pid in list(self.children):
            done, _status = os.waitpid(pid, os.WNOHANG)
            if done:
                self.children.discard(pid)

    def end_children(self) -> None:
        """Let connections finish what they do."""
        for pid in self.children:
            os.kill(pid, signal.SIGTERM)


def preload_api() -> None:
    """Import the whole API once: the children share it."""
    from practice_pve.api import BRANCHES
    from practice_pve.rest.methods import load_module

    for _prefix, module in BRANCHES:
        try:
            load_module(module)
        except Exception:  # noqa: BLE001 - one broken branch must not take the others down
            syslog.syslog(syslog.LOG_ERR, f"{module}: {traceback.format_exc()}")
    for name in ("http.client", "email.parser", "encodings.idna"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
