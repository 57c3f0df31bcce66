# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to whoever answers the requests of serve.py: a helper on a node over SSH, or this process with the API."""

from __future__ import annotations

import json
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.serve import Server
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.interface import Session

from .access import NodeAccess
from .pack import BOOTSTRAP, pack_modules


class HelperError(Exception):
    """The request failed; the words are for the user."""


class NotReached(HelperError):
    """Nobody was asked: another node may do."""


class Helper(ABC):
    @abstractmethod
    def ask(self, request: str, **arguments: Any) -> Any:
        """Raises HelperError with what went wrong."""

    @abstractmethod
    def close(self) -> None:
        """End it."""


class HelperHere(Helper):
    """The same without a node in between."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._server = Server(session)

    def ask(self, request: str, **arguments: Any) -> Any:
        return _result(self._server.answer({"do": request, "with": arguments}))

    def close(self) -> None:
        self._session.close()


class HelperOnNode(Helper):
    """One process on the node, for all requests. It ends with its input, also when this process is killed."""

    def __init__(self, access: NodeAccess) -> None:
        self._host = access.host
        # A file, since a multiplexing ssh may keep a pipe open for longer than the helper lives.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                access.command(BOOTSTRAP), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
            )
        except OSError as error:
            raise NotReached(f"{access.executable} cannot be run: {error.strerror}") from error
        self._asked = False
        self._send(pack_modules())

    def ask(self, request: str, **arguments: Any) -> Any:
        self._send(json.dumps({"do": request, "with": arguments}).encode() + b"\n")
        if self._process.stdout is None:
            raise AssertionError
        line = self._process.stdout.readline()
        if not line:
            raise self._lost()
        self._asked = True
        return _result(json.loads(line))

    def _send(self, data: bytes) -> None:
        if self._process.stdin is None:
            raise AssertionError
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._lost() from error

    def _lost(self) -> HelperError:
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        text = f"{self._host}: {words[-1] if words else f'the helper ended with {code}'}"
        # 255 is ssh's own: no connection, or a host key that is not the expected one.
        return NotReached(text) if code == 255 and not self._asked else HelperError(text)

    def close(self) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


def _result(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise HelperError(str(answer["error"]))
    return answer["result"]


def open_first(nodes: Sequence[NodeAccess]) -> Helper:
    """A helper on the first node that can be reached."""
    failures = []
    for access in nodes:
        try:
            helper = HelperOnNode(access)
        except NotReached as error:
            failures.append(str(error))
            continue
        try:
            helper.ask("greet")
        except NotReached as error:
            failures.append(str(error))
            helper.close()
            continue
        return helper
    raise NotReached("no node can be reached: " + "; ".join(failures))
