# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both transports share once there is HTTP: encoding, errors, bounded retries, the tasks we were given."""

from __future__ import annotations

import json
import threading
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from . import encoding
from .classify import classify, is_certificate_lag
from .errors import AnswerLost, Busy, Denied, Failed, RootOnly, SessionError, Unreachable
from .http_client import Answer
from .interface import Session
from .privileges import name_missing_privilege
from .retry import Retry
from .upid import parse_upid

# Short locks of files and workers that could not start; each refusal may itself have taken 10 s.
PATIENCE = Retry(attempts=6, first_pause=0.25, longest_pause=4.0, seconds=60.0)


def passes_soon(error: SessionError) -> bool:
    """True for refusals after which nothing was done and the same call works in a moment. A guest's own lock is not among
    them: a backup may hold it for hours, and the caller knows best whether to wait."""
    if isinstance(error, Busy):
        return error.lock is None
    return error.status is not None and is_certificate_lag(error.status, error.message)


class HttpSession(Session):
    """A session that speaks HTTP by C(_exchange)."""

    def __init__(self, patience: Retry = PATIENCE) -> None:
        super().__init__()
        self._patience = patience
        self._lock = threading.RLock()
        self._known_tasks: set[str] = set()

    @abstractmethod
    def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send one request with our credentials, renewing them once when they are refused."""

    def known_tasks(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._known_tasks)

    def call(self, method: str, path: str, params: dict[str, Any]) -> Any:
        result = self._patience.call(
            lambda: self._attempt(method, path, params), on=(Busy, Unreachable), when=passes_soon
        )
        if method != "GET" and parse_upid(result) is not None:
            with self._lock:
                self._known_tasks.add(result)
        return result

    def _attempt(self, method: str, path: str, params: dict[str, Any]) -> Any:
        return self.call_http(method, path, params)

    def call_http(self, method: str, path: str, params: dict[str, Any]) -> Any:
        """One call over HTTP, without retries."""
        url, body, headers = f"/api2/json{path}", None, {"Accept": "application/json"}
        if method in ("POST", "PUT"):
            body, headers["Content-Type"] = encoding.body(params)
        elif query := encoding.query(params):
            url = f"{url}?{query}"
        sent_at = self.server_time()
        try:
            answer = self._exchange(method, url, body, headers)
            if answer.status >= 400:
                raise classify(answer.status, answer.reason, answer.body, write=method != "GET")
            return _read(answer, method)
        except SessionError as error:
            error.method, error.path = error.method or method, error.path or path
            if isinstance(error, AnswerLost):
                error.sent_at = error.sent_at or sent_at
            if isinstance(error, Denied) and not isinstance(error, RootOnly) and not error.privileges:
                name_missing_privilege(error, self._major_version(), params)
            raise

    def server_time(self) -> float:
        return time.time()

    def _major_version(self) -> int:
        try:
            return self.version().major
        except SessionError:
            return 9  # only the wording of a remedy depends on it


def _read(answer: Answer, method: str) -> Any:
    try:
        content = json.loads(answer.body) if answer.body else {}
        return content["data"] if content else None
    except (ValueError, KeyError, TypeError) as error:
        text = f"HTTP {answer.status} without an answer of Proxmox VE in it: {answer.body[:80]!r}"
        raise (AnswerLost(text) if method != "GET" else Failed(text, "is this address a Proxmox VE node?")) from error
