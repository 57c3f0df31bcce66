# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of a controller, answered where the session is: on a node, or on the controller itself with the API."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .._session.errors import SessionError
from .._session.interface import Session
from .._session.local import LocalSession
from .agent import Agent, AgentError
from .facts_run import find_guests
from .files import FileWriter, read_file, write_file
from .gather import Wish, look
from .inventory_run import read_inventory


class Server:
    """Every request and every answer is plain data, fit for JSON; bytes travel as base64."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._agent: Agent | None = None
        self._writer: FileWriter | None = None
        self._requests: dict[str, Callable[..., Any]] = {
            "greet": lambda: self._session.node,
            "inventory": self._inventory,
            "open": self._open,
            "run": self._run,
            "write_small_file": self._write_small_file,
            "begin_file": self._begin_file,
            "add_to_file": self._add_to_file,
            "end_file": self._end_file,
            "read_file": self._read_file,
        }

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            result = self._requests[str(request["do"])](**request.get("with", {}))
        except (SessionError, AgentError) as error:
            return {"error": str(error)}
        return {"result": result}

    def _inventory(self, **wish: Any) -> dict[str, Any]:
        return {"guests": read_inventory(self._session, wish), "warnings": self._session.warnings}

    def _open(self, vmid: int | None, name: str | None) -> dict[str, Any]:
        """Find the guest, and refuse at once, with reason and remedy, when its agent cannot be spoken to."""
        params: dict[str, Any] = {"vmid": vmid, "name": name, "vmids": [], "all": False, "node": None}
        guest = find_guests(self._session, params)[0]
        if guest.node is None:
            raise AgentError(guest.absence)
        found = look(self._session, guest.vmid, guest.node, Wish(gather=())).diagnosis
        if not found.available:
            raise AgentError(f"the agent of {guest.vmid}: {found.reason.value}: {found.detail} ({found.remedy})")
        self._agent = Agent(self._session, guest.node, guest.vmid)
        return {"vmid": guest.vmid, "node": guest.node}

    def _opened(self) -> Agent:
        if self._agent is None:
            raise AgentError("no guest has been named yet")
        return self._agent

    def _run(self, argv: list[str], stdin: str | None, timeout: float) -> dict[str, Any]:
        done = self._opened().run(argv, stdin=None if stdin is None else base64.b64decode(stdin), timeout=timeout)
        return {
            "pid": done.pid,
            "status": done.status,
            "timed_out": done.timed_out,
            "truncated": done.stdout_truncated or done.stderr_truncated,
            "stdout": base64.b64encode(done.stdout).decode(),
            "stderr": base64.b64encode(done.stderr).decode(),
        }

    def _write_small_file(self, path: str, content: str) -> None:
        write_file(self._opened(), path, base64.b64decode(content))

    def _begin_file(self, path: str) -> None:
        self._writer = FileWriter(self._opened(), path)

    def _add_to_file(self, content: str) -> None:
        if self._writer is None:
            raise AgentError("no file has been begun")
        self._writer.add(base64.b64decode(content))

    def _end_file(self, mode: str) -> None:
        if self._writer is None:
            raise AgentError("no file has been begun")
        self._writer.finish(mode)
        self._writer = None

    def _read_file(self, path: str) -> str | None:
        content = read_file(self._opened(), path)
        return None if content is None else base64.b64encode(content).decode()


def serve() -> None:
    """Answer requests on this node, one JSON text a line, until there are no more."""
    with LocalSession() as session:
        server = Server(session)
        for line in sys.stdin.buffer:
            sys.stdout.write(json.dumps(server.answer(json.loads(line))) + "\n")
            sys.stdout.flush()
