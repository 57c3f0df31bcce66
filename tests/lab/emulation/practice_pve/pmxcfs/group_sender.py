# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends a group's messages in order, and lets those wait who need to know what their message came to."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from practice_pve.pmxcfs.corosync_library import BAD_HANDLE, TRY_AGAIN, CorosyncError, error_name
from practice_pve.pmxcfs.group_messages import encode_normal
from practice_pve.pmxcfs.log import log

SEND_RETRIES = 100
RETRY_SECONDS = 0.1


class Transport(Protocol):
    def send(self, message: bytes) -> None: ...


@dataclass(slots=True)
class _Pending:
    result: int = 0
    processed: bool = False


class GroupSender:
    def __init__(self, domain: str) -> None:
        self.transport: Transport | None = None
        self._domain = domain
        self._order = threading.Lock()
        self._results = threading.Condition()
        self._pending: dict[int, _Pending] = {}
        self._count = 0
        self._count_received = 0

    def send_raw(self, raw: bytes) -> bool:
        """While corosync forms a membership it says "try again": up to ten seconds, then the message is lost."""
        retries = 0
        while True:
            code = self._try(raw)
            if code == 0:
                break
            retries += 1
            if retries % 10 == 0:
                log.notice(self._domain, f"cpg_send_message retry {retries}")
            if code != TRY_AGAIN or retries >= SEND_RETRIES:
                log.critical(self._domain, f"cpg_send_message failed: {error_name(code)}")
                return False
            time.sleep(RETRY_SECONDS)
        if retries:
            log.notice(self._domain, f"cpg_send_message retried {retries} times")
        return True

    def _try(self, raw: bytes) -> int:
        transport = self.transport
        if transport is None:
            return BAD_HANDLE
        try:
            transport.send(raw)
        except CorosyncError as error:
            return error.code
        return 0

    def send(self, subtype: int, payload: bytes) -> bool:
        with self._order:
            self._count += 1
            return self.send_raw(encode_normal(subtype, self._count, payload))

    def send_and_wait(self, subtype: int, payload: bytes) -> int | None:
        pending = _Pending()
        with self._order:
            self._count += 1
            count = self._count
            with self._results:
                self._pending[count] = pending
            sent = self.send_raw(encode_normal(subtype, count, payload))
        with self._results:
            if sent:
                self._results.wait_for(lambda: self._count_received >= count)
            self._pending.pop(count, None)
        return pending.result if pending.processed else None

    def record_result(self, count: int, result: int) -> None:
        """An own message has come back."""
        with self._results:
            pending = self._pending.get(count)
            if pending is not None:
                pending.result, pending.processed = result, True
            self._count_received = count
            self._results.notify_all()

    def let_go(self) -> None:
        """Nothing that was sent will come back."""
        with self._results:
            self._count_received = self._count
            self._results.notify_all()
