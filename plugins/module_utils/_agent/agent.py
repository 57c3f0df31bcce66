# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One guest's agent through a session: the commands that do something."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._session.errors import AnswerLost, SessionError, Unreachable
from .._session.interface import Session
from .._session.tasks import pauses
from .answers import CommandRefused, unwrap
from .parse import read_fsfreeze_status

#: Proxmox VE refuses more input for a program than this, in bytes.
INPUT_LIMIT = 64 * 1024
#: The shell's answer for a program that is not there.
NOT_FOUND = 127


class AgentError(Exception):
    """What the guest could not or would not do, in words for the user."""


@dataclass(frozen=True)
class Finished:
    """How a program in the guest ended; C(code) and C(signal) exclude each other, both are None while it still runs."""

    pid: int
    code: int | None = None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False

    @property
    def timed_out(self) -> bool:
        return self.code is None and self.signal is None

    @property
    def status(self) -> int | None:
        """The exit status as a shell shows it: 128 and the signal's number for a killed program."""
        return 128 + self.signal if self.signal is not None else self.code


def wire_text(text: str | bytes) -> str:
    """Proxmox VE hands a text to the agent with one byte for each character: it has to look like that."""
    return (text.encode() if isinstance(text, str) else text).decode("latin-1")


def bytes_of(text: Any) -> bytes:
    """Proxmox VE sends each byte that a guest gave as one character."""
    text = str(text or "")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


class Agent:
    """Every method raises AgentError where the guest refuses, and SessionError where Proxmox VE does."""

    def __init__(
        self,
        session: Session,
        node: str,
        vmid: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.session = session
        self.vmid = vmid
        self.node = node
        self.base = f"/nodes/{node}/qemu/{vmid}"
        self._clock = clock
        self._sleep = sleep

    def command(self, name: str, method: str = "POST", /, **params: Any) -> Any:
        try:
            return unwrap(self.session.call(method, f"{self.base}/agent/{name}", params))
        except CommandRefused as refusal:
            raise AgentError(f"the guest refuses guest-{name}: {refusal}") from refusal

    def freeze_status(self) -> str:
        return read_fsfreeze_status(self.command("fsfreeze-status"))

    def run(self, argv: Sequence[str], *, stdin: bytes | None = None, timeout: float = 60) -> Finished:
        """Run a program and wait for its end; after the time limit it goes on in the guest, and that is told."""
        pid = self.start(argv, stdin)
        end = self._clock() + timeout
        for pause in pauses():
            told = self.command("exec-status", "GET", pid=pid)
            if int(told.get("exited") or 0):
                return _finished(pid, told)
            left = end - self._clock()
            if left <= 0:
                return Finished(pid)
            self._sleep(min(pause, left))
        raise AssertionError("unreachable")

    def start(self, argv: Sequence[str], stdin: bytes | None = None) -> int:
        params: dict[str, Any] = {"command": [wire_text(part) for part in argv]}
        if stdin is not None:
            if len(stdin) > INPUT_LIMIT:
                raise AgentError(f"the input has {len(stdin)} bytes, Proxmox VE takes {INPUT_LIMIT} at most")
            params["input-data"] = wire_text(stdin)
        try:
            return int(self.command("exec", **params)["pid"])
        except (AnswerLost, Unreachable) as lost:
            self._explain_lost_start(argv[0], lost)
            raise
        except SessionError as error:
            if "Agent error" in error.message:
                raise AgentError(f"the guest could not start {argv[0]}: {error.message}") from error
            raise

    def _explain_lost_start(self, program: str, lost: SessionError) -> None:
        """Proxmox VE breaks off (HTTP 596, no text) where the agent's error has a character beyond Latin-1, as has the one
        about a program that is not there. Ask the guest's shell whether that was it; raises AgentError if so."""
        question = ["/bin/sh", "-c", 'command -v -- "$1" >/dev/null || exit 127; exit 0', "sh", wire_text(program)]
        try:
            pid = int(self.command("exec", command=question)["pid"])
        except (AnswerLost, Unreachable):
            raise AgentError(
                f"the guest could not start {program}: Proxmox VE broke off ({lost.message}), as it does when there is no such "
                "program, and its shell /bin/sh could not be started either"
            ) from lost
        for pause in pauses():
            told = self.command("exec-status", "GET", pid=pid)
            if int(told.get("exited") or 0):
                break
            self._sleep(pause)
        if told.get("exitcode") == NOT_FOUND:
            raise AgentError(
                f"the guest could not start {program}: there is no such program (Proxmox VE itself only broke off: {lost.message})"
            ) from lost


def _finished(pid: int, told: dict[str, Any]) -> Finished:
    signal = told.get("signal")
    code = told.get("exitcode")
    return Finished(
        pid,
        code=None if signal is not None else int(code or 0),
        signal=None if signal is None else int(signal),
        stdout=bytes_of(told.get("out-data")),
        stderr=bytes_of(told.get("err-data")),
        stdout_truncated=bool(int(told.get("out-truncated") or 0)),
        stderr_truncated=bool(int(told.get("err-truncated") or 0)),
    )
