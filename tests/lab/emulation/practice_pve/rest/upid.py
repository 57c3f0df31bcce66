# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task identifiers: UPID:node:pid:pstart:starttime:type:id:user: and where a task's log lies."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import ApiError

TASK_DIRECTORY = Path(os.environ.get("PRACTICE_TASK_DIRECTORY", "/var/log/pve/tasks"))
UPID_PATTERN = re.compile(
    r"UPID:([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8}):"
    r"([^:\s/]+):([^:\s/]*):([^:\s/]+):"
)


@dataclass(frozen=True)
class Upid:
    """The parts of a UPID."""

    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str

    def __str__(self) -> str:
        return (
            f"UPID:{self.node}:{self.pid:08X}:{self.pstart:08X}:{self.starttime:08X}:{self.type}:{self.id}:{self.user}:"
        )

    @property
    def log_file(self) -> Path:
        """The task's log; the directory is the last digit of the start time."""
        return TASK_DIRECTORY / f"{self.starttime:08X}"[7] / str(self)

    @property
    def running(self) -> bool:
        """True while the worker's process lives."""
        return process_start(self.pid) == self.pstart


def parse_upid(text: str) -> Upid:
    """Return the parts, or raise with PVE's text."""
    found = UPID_PATTERN.fullmatch(text)
    if not found:
        raise ApiError(f"unable to parse worker upid '{text}'\n")
    node, pid, pstart, starttime, kind, identifier, user = found.groups()
    return Upid(node, int(pid, 16), int(pstart, 16), int(starttime, 16), kind, identifier, user)


def process_start(pid: int) -> int | None:
    """Return a process's start time in clock ticks, None when there is none (or only a zombie)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def read_status(upid: Upid) -> str:
    """Return OK, WARNINGS: n, the error text, or "unexpected status" for a log without a last word."""
    try:
        with open(upid.log_file, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 4096))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"unable to get last line from task log - unable to open file '{upid.log_file}' - {error.strerror}"
    last = lines[-1] if lines else ""
    if last == "TASK OK":
        return "OK"
    found = re.fullmatch(r"TASK (?:ERROR: (.+)|(WARNINGS: \d+))", last)
    return (found[1] or found[2]) if found else "unexpected status"


def is_error(status: str) -> bool:
    """True for everything but OK and warnings."""
    return not (status == "OK" or re.fullmatch(r"WARNINGS: \d+", status))
