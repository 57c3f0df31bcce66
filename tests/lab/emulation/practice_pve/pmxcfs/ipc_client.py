# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the daemon, with the grace period that PVE's clients grant to a restart."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any

from practice_pve.pmxcfs.ipc_protocol import Request, receive, send
from practice_pve.pmxcfs.paths import IPC_ADDRESS, RESTART_FLAG

GRACE_SECONDS = 10
RETRY_SECONDS = 0.1


class RequestError(OSError):
    """The daemon's refusal, or that it cannot be reached; text as PVE's tools print it."""

    def __init__(self, request: Request, number: int) -> None:
        super().__init__(number, os.strerror(number))
        self.request = request

    def __str__(self) -> str:
        return f"ipcc_send_rec[{int(self.request)}] failed: {self.strerror}"


def _open_restart_flag() -> int | None:
    try:
        return os.open(RESTART_FLAG, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _connect() -> socket.socket:
    """While the flag says that the daemon is being restarted, wait for it; the first one to wait in vain removes it."""
    flag = _open_restart_flag()
    deadline = time.monotonic() + GRACE_SECONDS
    try:
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            try:
                connection.connect(IPC_ADDRESS)
                return connection
            except OSError:
                connection.close()
                if flag is None or time.monotonic() >= deadline:
                    if flag is not None and os.fstat(flag).st_nlink > 0:
                        os.unlink(RESTART_FLAG)
                    raise
            time.sleep(RETRY_SECONDS)
    finally:
        if flag is not None:
            os.close(flag)


def call(request: Request, data: bytes = b"", **header: Any) -> bytes:
    """Raises RequestError with the daemon's errno, or ECONNREFUSED when nobody answers."""
    try:
        with _connect() as connection:
            send(connection, {"request": int(request), **header}, data)
            answer, content = receive(connection)
    except (OSError, EOFError) as error:
        raise RequestError(request, getattr(error, "errno", None) or errno.ECONNREFUSED) from error
    if answer["errno"]:
        raise RequestError(request, answer["errno"])
    return content
