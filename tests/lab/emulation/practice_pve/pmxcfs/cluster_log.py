# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`.clusterlog`: the last messages of all members, newest first, merged when members meet."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass

# The real ring buffer holds 128 KiB; an entry's fixed part takes about this much of it.
BUFFER_SIZE = 128 * 1024
ENTRY_OVERHEAD = 48
SHOWN = 50
INFO = 6


@dataclass(frozen=True, slots=True)
class LogEntry:
    uid: int
    time: int
    priority: int
    tag: str
    pid: int
    node: str
    user: str
    message: str

    @property
    def size(self) -> int:
        return ENTRY_OVERHEAD + len(self.tag) + len(self.node) + len(self.user) + len(self.message)

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, message: bytes) -> LogEntry:
        return cls(**json.loads(message))


def to_ascii(text: str) -> str:
    """Only printable ASCII goes into the log: quotes are escaped, control characters become #010, the rest \\u00e4."""
    characters = []
    for character in text:
        code = ord(character)
        if character == '"':
            characters.append('\\"')
        elif code < 32 or code == 127:
            characters.append(f"#{code:03d}")
        elif code < 127:
            characters.append(character)
        elif code < 65536:
            characters.append(f"\\u{code:04x}")
    return "".join(characters)


class ClusterLog:
    def __init__(self, node_name: str) -> None:
        self._node_name = node_name
        self._lock = threading.Lock()
        self._uid = 0
        self._entries: list[LogEntry] = []  # oldest first
        self._newest: dict[str, tuple[int, int]] = {}  # per node, to recognise what was already merged
        self.add("root", "cluster", "starting cluster log")

    def add(self, user: str, tag: str, message: str, priority: int = INFO, pid: int | None = None) -> LogEntry:
        """A message of this node; returns what the other members have to hear."""
        with self._lock:
            self._uid += 1
            entry = LogEntry(
                self._uid, int(time.time()), priority, tag, pid or os.getpid(), self._node_name, user, to_ascii(message)
            )
        self.insert(entry)
        return entry

    def insert(self, entry: LogEntry) -> None:
        with self._lock:
            if (entry.time, entry.uid) > self._newest.get(entry.node, (-1, -1)):
                self._newest[entry.node] = (entry.time, entry.uid)
                self._entries.append(entry)
                self._shrink()

    def _shrink(self) -> None:
        used = 0
        for position in range(len(self._entries) - 1, -1, -1):
            used += self._entries[position].size
            if used > BUFFER_SIZE:
                del self._entries[: position + 1]
                return

    def state(self) -> bytes:
        with self._lock:
            return json.dumps([asdict(entry) for entry in self._entries]).encode()

    def merge(self, states: list[bytes]) -> None:
        """Take over what the other members know; nothing is doubled, the order is that of time."""
        with self._lock:
            known = set(self._entries)
            for state in states:
                known.update(LogEntry(**entry) for entry in json.loads(state))
            self._entries = sorted(known, key=lambda entry: (entry.time, entry.node, entry.uid))
            for entry in self._entries:
                self._newest[entry.node] = max(self._newest.get(entry.node, (-1, -1)), (entry.time, entry.uid))
            self._shrink()

    def to_text(self, user: str = "", limit: int = SHOWN) -> str:
        with self._lock:
            chosen = [entry for entry in reversed(self._entries) if not user or entry.user == user][:limit]
        lines = [
            f'{{"uid": {entry.uid}, "time": {entry.time}, "pri": {entry.priority}, "tag": "{entry.tag}", '
            f'"pid": {entry.pid}, "node": "{entry.node}", "user": "{entry.user}", "msg": "{entry.message}"}}'
            for entry in chosen
        ]
        return '{\n"data": [\n' + ",\n".join(lines) + ("\n" if lines else "") + "]\n}\n"
