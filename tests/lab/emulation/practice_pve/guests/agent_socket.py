# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the agent in a guest, over the socket of its virtio port: PVE's way of asking, limits and failures.

The socket serves one client at a time. A hung or absent agent shows as silence only.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import time
from pathlib import Path

from practice_pve.guests import perl_bytes
from practice_pve.rest.errors import ApiError

PING_SECONDS = 3
DEFAULT_SECONDS = 5
_LONGER = {
    "guest-fsfreeze-freeze": 60 * 60,
    "guest-fsfreeze-thaw": 3 * 60,
    "guest-fstrim": 10 * 60,
    "guest-shutdown": 10 * 60,
}
# The guest may be gone before it can answer these.
_MAY_CLOSE = ("guest-shutdown", "guest-suspend-ram", "guest-suspend-disk", "guest-suspend-hybrid")
# 0xff marks the line that answers the synchronisation; the next one answers the command.
_ANSWER = re.compile(rb".*\xff([^\n]+)\r?\n([^\n]+)\r?\n", re.DOTALL)
_SYNCHRONISED = re.compile(rb".*\xff([^\n]+)\r?\n", re.DOTALL)
_numbers = itertools.count(1)


class _Unanswered(Exception):
    """No answer, and the reason in PVE's words."""


def path_of(guest_id: int) -> Path:
    """The socket of a guest that was started with an agent's port."""
    return Path(f"/var/run/qemu-server/{guest_id}.qga")


def ask(guest_id: int, command: str, arguments: dict | None = None, timeout: float | None = None) -> object:
    """The result of one command such as guest-ping, {"error": ...} when the agent refuses it."""
    if not path_of(guest_id).exists():
        raise ApiError("unable to open monitor socket")
    failed = f"VM {guest_id} qga command '{command}' failed - "
    limit = timeout or _LONGER.get(command, DEFAULT_SECONDS)
    try:
        with _connect(guest_id, time.monotonic() + limit) as connection:
            return _converse(connection, command, arguments or {}, time.monotonic() + limit)
    except TimeoutError as error:
        raise ApiError(f"{failed}got timeout") from error
    except _Unanswered as error:
        raise ApiError(f"{failed}{error}") from error
    except OSError as error:
        raise ApiError(f"{failed}unable to connect to VM {guest_id} qga socket - {error.strerror}") from error


def _connect(guest_id: int, end: float) -> socket.socket:
    """Connect as soon as there is room in the socket's queue."""
    for count in itertools.count(1):
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        try:
            connection.connect(str(path_of(guest_id)))
        except BlockingIOError:
            connection.close()
            if time.monotonic() >= end:
                raise _Unanswered(
                    f"unable to connect to VM {guest_id} qga socket - timeout after {count} retries"
                ) from None
            time.sleep(0.1)
        except OSError:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError("counting never ends")


def _converse(connection: socket.socket, command: str, arguments: dict, end: float) -> object:
    number = int(f"{os.getpid()}0{next(_numbers)}")
    questions = (
        {"execute": "guest-sync-delimited", "arguments": {"id": number}},
        {"execute": command, "arguments": arguments},
    )
    lines = "".join(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
    _limit(connection, end)
    connection.sendall(perl_bytes.from_text(lines))
    received = b""
    while True:
        _limit(connection, end)
        block = connection.recv(1 << 20)
        received += block
        answer = _ANSWER.fullmatch(received) if received.endswith(b"\n") else None
        if answer:
            synchronised = json.loads(answer[1]).get("return")
            if synchronised == number:
                answered = json.loads(answer[2])
                return answered["return"] if "return" in answered else {"error": answered["error"]}
            # what a command before this one left, whose asker had no more patience
            received = b""
        elif not block:
            if command in _MAY_CLOSE and _SYNCHRONISED.search(received):
                return None
            raise _Unanswered("client closed connection")


def _limit(connection: socket.socket, end: float) -> None:
    connection.settimeout(max(end - time.monotonic(), 0.001))
