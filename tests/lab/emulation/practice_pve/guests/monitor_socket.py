# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to QEMU itself, over its QMP socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from practice_pve.rest.errors import ApiError

_SECONDS = 5


def path_of(guest_id: int) -> Path:
    """Where a machine's QEMU listens."""
    return Path(f"/var/run/qemu-server/{guest_id}.qmp")


def ask(guest_id: int, command: str, arguments: Mapping[str, object] | None = None) -> Any:
    """The answer to one command; failures in PVE's words."""
    failed = f"VM {guest_id} qmp command '{command}' failed - "
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(path_of(guest_id)))
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.readline()  # the greeting
                for execute, values in (("qmp_capabilities", {}), (command, arguments or {})):
                    stream.write(json.dumps({"execute": execute, "arguments": values, "id": execute}) + "\n")
                    stream.flush()
                    answer = _read_answer(stream, execute)
    except TimeoutError as error:
        raise ApiError(f"{failed}got timeout") from error
    except OSError as error:
        raise ApiError(f"{failed}unable to connect to VM {guest_id} qmp socket - {error.strerror}") from error
    if "error" in answer:
        raise ApiError(failed + answer["error"]["desc"])
    return answer["return"]


def _read_answer(stream: Any, execute: str) -> dict:
    """The line that answers; events in between are nobody's business here."""
    for line in stream:
        answer = json.loads(line)
        if answer.get("id") == execute:
            return answer
    # "quit" and a machine that goes down close the connection
    return {"return": {}}
