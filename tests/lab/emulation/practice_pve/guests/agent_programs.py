# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that the agent runs in a guest: started, asked for, waited for."""

from __future__ import annotations

import base64
import sys
import time

from practice_pve.guests import agent, perl_bytes
from practice_pve.rest.errors import ApiError


def execute(guest_id: int, command: list[str], given: bytes | None) -> dict:
    """Start a program with what it shall read; returns its process id."""
    if not command and given is None:
        raise ApiError("command or input-data (or both) required")
    arguments: dict = {"capture-output": True}
    if command:
        arguments.update({"path": command[0], "arg": command[1:]})
    if given is not None:
        arguments["input-data"] = base64.b64encode(given).decode()
    started = agent.demand(guest_id, "guest-exec", arguments)
    assert isinstance(started, dict)
    return started


def read_status(guest_id: int, pid: int) -> dict:
    """What became of a program; the agent forgets it once it has told its end."""
    status = agent.demand(guest_id, "guest-exec-status", {"pid": pid})
    assert isinstance(status, dict)
    for stream in ("out-data", "err-data"):
        if status.get(stream):
            status[stream] = perl_bytes.to_text(base64.b64decode(status[stream]))
    return {key: int(value) if isinstance(value, bool) else value for key, value in status.items()}


def wait_for(guest_id: int, started: dict, timeout: int) -> dict:
    """Wait for a program's end; 0 waits for ever. Who is out of patience gets the process id again."""
    begin = time.monotonic()
    while timeout == 0 or time.monotonic() - begin < timeout:
        status = read_status(guest_id, started["pid"])
        if status["exited"]:
            return status
        time.sleep(1)
    print("timeout reached, returning pid", file=sys.stderr)
    return started
