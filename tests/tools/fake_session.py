# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session without Proxmox VE: answers from a table or a function, records every call, can fail at any of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import NotFound, SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.interface import Session
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.upid import parse_upid
from replay.scope import read_scope


@dataclass(frozen=True)
class RecordedCall:
    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)


class InTurn:
    """One answer after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def next(self) -> Any:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


# What the collection asks of Proxmox VE: the practice nodes owe an answer to it.
SCOPE = read_scope()
Handler = Callable[[str, str, dict[str, Any]], Any]


class FakeSession(Session):
    """C(answers) maps (method, path) to a value, an exception, InTurn(...) or a function of the parameters. What is not in
    it goes to C(handler)(method, path, params); without one it is an AssertionError. Tasks made by C(task()) can be waited for.
    C(fail_at) = n raises C(failure) instead of doing the n-th call (from 0), C(lose_at) = n does it and then raises."""

    def __init__(
        self,
        answers: Mapping[tuple[str, str], Any] | None = None,
        *,
        handler: Handler | None = None,
        node: str | None = "pve1",
        user: str = "root@pam",
        version: str = "9.2.11",
        fail_at: int | None = None,
        lose_at: int | None = None,
        failure: SessionError | None = None,
    ) -> None:
        super().__init__()
        self.answers = dict(answers or {})
        self.answers.setdefault(("GET", "/version"), {"version": version, "release": version.rpartition(".")[0]})
        self.handler = handler
        self.node = node
        self.user = user
        self.fail_at = fail_at
        self.lose_at = lose_at
        self.failure = failure
        self.calls: list[RecordedCall] = []
        self.tasks: dict[str, tuple[str, list[str]]] = {}
        self.closed = False
        self._lock = threading.Lock()

    @property
    def writes(self) -> list[RecordedCall]:
        return [call for call in self.calls if call.method != "GET"]

    def task(self, type_: str, id_: object = "", *, node: str = "pve1", exitstatus: str = "OK", log: Any = ()) -> str:
        """Make a finished task and return its UPID: what a handler returns for a call that starts a worker."""
        with self._lock:
            upid = f"UPID:{node}:{len(self.tasks) + 1:08X}:00000001:{int(time.time()):08X}:{type_}:{id_}:{self.user}:"
            self.tasks[upid] = (
                exitstatus,
                list(log) or [f"TASK {'OK' if exitstatus == 'OK' else 'ERROR: ' + exitstatus}"],
            )
        return upid

    def call(self, method: str, path: str, params: dict[str, Any]) -> Any:
        with self._lock:
            number = len(self.calls)
            self.calls.append(
                RecordedCall(method, path, {key: value for key, value in params.items() if value is not None})
            )
        if number == self.fail_at and self.failure is not None:
            raise self.failure
        answer = self._answer(method, path, params)
        if number == self.lose_at and self.failure is not None:
            raise self.failure
        return answer

    def close(self) -> None:
        self.closed = True

    def server_time(self) -> float:
        return time.time()

    def known_tasks(self) -> frozenset[str]:
        return frozenset(self.tasks)

    def _answer(self, method: str, path: str, params: dict[str, Any]) -> Any:
        assert SCOPE.has_call(method, path), f"{method} {path}: tests/conformance/scope.txt does not name it"
        if (method, path) in self.answers:
            answer = self.answers[method, path]
            if isinstance(answer, InTurn):
                answer = answer.next()
            if callable(answer):
                answer = answer(params)
        elif method == "GET" and "/tasks/UPID" in path:
            answer = self._task_answer(path)
        elif self.handler is not None:
            answer = self.handler(method, path, params)
        else:
            raise AssertionError(f"unexpected call: {method} {path} {params}")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _task_answer(self, path: str) -> Any:
        name, _, wanted = (
            path.rpartition("/tasks/")[2].replace("%3A", ":").replace("%40", "@").replace("%21", "!").partition("/")
        )
        if name not in self.tasks:
            return NotFound("no such task", method="GET", path=path, status=400, errors={"upid": "no such task"})
        exitstatus, log = self.tasks[name]
        if wanted == "log":
            return [{"n": number, "t": line} for number, line in enumerate(log, 1)]
        task = parse_upid(name)
        assert task is not None
        return {
            "upid": name,
            "status": "stopped",
            "exitstatus": exitstatus,
            "type": task.type,
            "id": task.id,
            "node": task.node,
        }
