# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client connection of pvedaemon or pveproxy, served by a process of its own."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .http_message import (
    BadRequest,
    Request,
    Response,
    Unsendable,
    read_body,
    read_request,
    render,
    wants_keep_alive,
)

IDLE_TIMEOUT = 5.0
REQUESTS_PER_CONNECTION = 100
TLS_HANDSHAKE = 0x16
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")

Answer = Callable[[Request], Response]


class Connection:
    """Reads requests and writes answers until one side closes."""

    def __init__(self, client: socket.socket, peer: str, answer: Answer, log_file: Path | None) -> None:
        self.client = client
        self.peer = peer
        self.answer = answer
        self.log_file = log_file
        self.ending = False
        signal.signal(signal.SIGTERM, self.end_soon)

    def end_soon(self, _number: int, _frame: object) -> None:
        """The daemon stops or reloads: finish the present request, then close."""
        self.ending = True

    def serve(self, context: ssl.SSLContext | None) -> None:
        """Serve the whole connection."""
        self.client.settimeout(IDLE_TIMEOUT)
        try:
            if context is not None:
                first = self.client.recv(1, socket.MSG_PEEK)
                if not first:
                    return
                if first[0] != TLS_HANDSHAKE:
                    self.redirect()
                    return
                self.client = context.wrap_socket(self.client, server_side=True)
            with self.client.makefile("rb") as stream:
                self.serve_requests(stream)
        except (TimeoutError, ConnectionError, ssl.SSLError):
            return  # the client is silent, gone, or does not trust us
        finally:
            self.say_goodbye()
            self.client.close()

    def say_goodbye(self) -> None:
        """End TLS properly: an answer without a length is only complete then. The client's own goodbye is not awaited."""
        if isinstance(self.client, ssl.SSLSocket):
            self.client.setblocking(False)
            with contextlib.suppress(OSError, ValueError):
                self.client.unwrap()

    def redirect(self) -> None:
        """Plain HTTP on the TLS port: send the client to https."""
        with self.client.makefile("rb") as stream:
            request = read_request(stream, self.peer)
        if request is None or not request.header("host"):
            return
        status, message = (
            (301, "Moved Permanently") if request.method in ("GET", "HEAD") else (308, "Permanent Redirect")
        )
        location = f"https://{request.header('host')}{request.uri}"
        self.send(Response(status, message, message.encode(), [("Location", location)]), request, keep_alive=False)

    def serve_requests(self, stream: BinaryIO) -> None:
        """Answer requests until the connection is to be closed."""
        for number in range(REQUESTS_PER_CONNECTION):
            request = None
            try:
                request = read_request(stream, self.peer)
                if request is None:
                    return
                response = self.respond(stream, request)
            except BadRequest as error:
                self.send(Response(error.status, error.message, error.message.encode()), request, keep_alive=False)
                return
            last = number == REQUESTS_PER_CONNECTION - 1
            keep_alive = not last and not self.ending and response.status < 400 and wants_keep_alive(request)
            if response.delay:
                time.sleep(response.delay)
            try:
                self.send(response, request, keep_alive=keep_alive)
            except Unsendable:
                # Perl dies while writing; the client learns it when the idle time is over
                time.sleep(IDLE_TIMEOUT)
                return
            if not keep_alive:
                return

    def respond(self, stream: BinaryIO, request: Request) -> Response:
        """Return the answer to one request."""
        if request.method not in METHODS:
            return Response(501, f"method '{request.method}' not available")
        read_body(stream, request)
        self.client.settimeout(None)
        try:
            return self.answer(request)
        finally:
            self.client.settimeout(IDLE_TIMEOUT)

    def send(self, response: Response, request: Request | None, *, keep_alive: bool) -> None:
        """Write an answer and log it."""
        data = render(response, request, keep_alive=keep_alive)
        self.client.settimeout(30)
        self.client.sendall(data)
        self.client.settimeout(IDLE_TIMEOUT)
        if self.log_file and request:
            stamp = time.strftime("%d/%m/%Y:%H:%M:%S %z")
            line = f'{self.peer} - - [{stamp}] "{request.method} {request.uri} {request.version}" {response.status} '
            with open(self.log_file, "a", encoding="utf-8", errors="replace") as log:
                log.write(f"{line}{len(response.body) or '-'}\n")
