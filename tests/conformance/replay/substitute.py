# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded values that a later question repeats (a fingerprint, a UPID, a token's secret) become the live ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

FINGERPRINT = re.compile(r"\b(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\b")
UPID = re.compile(r"UPID:[^:\s\"/]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^:\s\"]*:[^:\s\"]*:[^:\s\"]*:")
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
MAC = re.compile(r"\bBC:24:11(?::[0-9A-F]{2}){3}\b")
DIGEST = re.compile(r"(?<=\"digest\":\")[0-9a-f]{40}(?=\")")
# A program in a guest: the answer to its start says "pid":243, the question about it pid=243.
PROCESS = re.compile(r"(?<=\"pid\":)\d+")
PROCESS_IN_PATH = re.compile(r"(?<=exec-status\?pid=)\d+")
LEARNED = (UPID, UUID, MAC, DIGEST)
LEAST_SECRET = 5
HOST_OF_JOIN = re.compile(r"^(?:pvecm add|.*\bpvecm add) +(\S+)")


@dataclass
class KnownValues:
    """What the live nodes answered in place of what the recorded ones did."""

    live_fingerprint: Callable[[str], str | None]
    replaced: dict[str, str] = field(default_factory=dict)
    processes: dict[str, str] = field(default_factory=dict)

    def learn(self, recorded: str, live: str) -> None:
        """Pair the values of two answers to the same question, when both hold as many of a kind."""
        for pattern in LEARNED:
            before, after = pattern.findall(recorded), pattern.findall(live)
            if len(before) == len(after):
                self.replaced.update(zip(before, after, strict=True))
        self.processes.update(zip(PROCESS.findall(recorded), PROCESS.findall(live), strict=False))

    def translate(self, text: str, host: str | None = None) -> str:
        """The recorded text as the live nodes understand it; `host` is whose certificate a fingerprint means."""
        for recorded, live in self.replaced.items():
            text = text.replace(recorded, live)
        text = PROCESS_IN_PATH.sub(lambda match: self.processes.get(match[0], match[0]), text)
        return FINGERPRINT.sub(lambda match: self._fingerprint(match[0], host), text)

    def translate_login(self, auth: str) -> str:
        """How a request logs in. The recordings keep no more of a token's secret than its beginning."""
        name, equals, secret = auth.rpartition("=")
        if not auth.startswith("PVEAPIToken") or len(secret) < LEAST_SECRET:
            return self.translate(auth)
        whole = next((live for recorded, live in self.replaced.items() if recorded.startswith(secret)), secret)
        return f"{name}{equals}{whole}"

    def _fingerprint(self, recorded: str, host: str | None) -> str:
        # AA:AA:...: a wrong one on purpose stays wrong.
        if len(set(recorded.split(":"))) == 1 or host is None:
            return recorded
        return self.live_fingerprint(host) or recorded


def join_target(argv: list[str]) -> str | None:
    """The host that `pvecm add` is told to join, wherever it stands in the arguments."""
    for index, word in enumerate(argv[:-2]):
        if word.endswith("pvecm") and argv[index + 1] == "add":
            return argv[index + 2]
    match = HOST_OF_JOIN.match(" ".join(argv))
    return match[1] if match else None
