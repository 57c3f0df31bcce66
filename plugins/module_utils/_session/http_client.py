# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP on kept connections, one per thread, with one question always answered: can the call have been carried out?"""

from __future__ import annotations

import http.client
import select
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .errors import AnswerLost, Unreachable

# Proxmox VE closes a connection that was idle for 5 s. A write must not run into that moment: whether it was still taken could
# not be told.
IDLE_LIMIT_FOR_WRITES = 2.0
READ_ATTEMPTS = 3
READ_PAUSE = 0.2


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    body: bytes


class HttpClient:
    """Speaks to one server. C(connect) opens a connection or raises Unreachable."""

    def __init__(self, connect: Callable[[], http.client.HTTPConnection], timeout: float, write_timeout: float) -> None:
        self._connect = connect
        self._timeout = timeout
        self._write_timeout = write_timeout
        self._own = threading.local()
        self._all: weakref.WeakSet[http.client.HTTPConnection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self.clock_offset = 0.0  # the server's clock minus ours

    def exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send one request and read its answer. A GET is repeated when a connection breaks; a write is sent once only."""
        if method != "GET":
            return self._once(method, url, body, headers)
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return self._once(method, url, body, headers)
            except AnswerLost as error:
                if attempt == READ_ATTEMPTS or isinstance(error.__cause__, TimeoutError):
                    raise Unreachable(error.message, "the server broke the connection; nothing was changed") from error
                time.sleep(READ_PAUSE * (attempt - 1))  # at once after a kept connection that the server had given up
        raise AssertionError("unreachable")

    def close(self) -> None:
        with self._lock:
            connections = list(self._all)
        for connection in connections:
            connection.close()

    def _once(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        write = method != "GET"
        connection = self._connection(write)
        connection.sock.settimeout(self._write_timeout if write else self._timeout)
        sent_at = time.time()
        try:
            connection.request(method, url, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise AnswerLost(
                f"the connection broke before the answer came: {reason}",
                remedy="the work may have been done or may still go on: look at the object and the task list before repeating it",
                sent_at=sent_at + self.clock_offset,
            ) from error
        except BaseException:  # interrupted half way: nobody may read the rest of this answer as the next one
            connection.close()
            raise
        self._own.used = time.monotonic()
        self._learn_clock(response)
        # Reason phrases are UTF-8, http.client reads them as Latin-1.
        reason = response.reason.encode("latin-1", "replace").decode("utf-8", "replace")
        return Answer(response.status, reason, content)

    def _connection(self, write: bool) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if kept is not None and kept.sock is not None:
            idle = time.monotonic() - self._own.used
            if not _has_news(kept) and not (write and idle > IDLE_LIMIT_FOR_WRITES):
                return kept
            kept.close()
        connection = self._connect()
        # http.client would connect again by itself, without our checks, after the server has closed.
        connection.auto_open = 0
        self._own.connection = connection
        self._own.used = time.monotonic()
        with self._lock:
            self._all.add(connection)
        return connection

    def _learn_clock(self, response: http.client.HTTPResponse) -> None:
        date = response.getheader("Date")
        if date:
            try:
                self.clock_offset = parsedate_to_datetime(date).timestamp() - time.time()
            except ValueError:
                pass  # a proxy's own idea of a date


def _has_news(connection: http.client.HTTPConnection) -> bool:
    """True when a connection at rest has something to read: that can only be the server's good-bye."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
