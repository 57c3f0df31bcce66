# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about a task: its exit status by UPID, never the answer of the call that started it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .classify import classify_text
from .errors import AnswerLost, Failed, SessionError, TaskFailed, TaskUnfinished, Unreachable
from .upid import parse_upid

if TYPE_CHECKING:
    from .interface import Session

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
GROWTH = 1.4
# A task goes on while the daemons that tell about it restart (pveproxy after a join takes some seconds).
PATIENCE_WITHOUT_ANSWER = 30.0
LOG_TAIL = 25


@dataclass(frozen=True)
class TaskResult:
    upid: str
    status: str  # stopped, or running (only in TaskUnfinished's place)
    exitstatus: str  # OK, WARNINGS: n, or the error
    warnings: tuple[str, ...] = ()  # the task's own warning lines
    log: tuple[str, ...] = ()  # last lines; read only when the exit status is not OK

    @property
    def ok(self) -> bool:
        return self.exitstatus == "OK" or self.exitstatus.startswith("WARNINGS")


def pauses() -> Iterator[float]:
    """How long to wait before each next look at something that may end at once or after minutes."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def wait_for_task(
    session: Session,
    upid: str,
    timeout: float,
    *,
    check: bool = True,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> TaskResult:
    """Poll a task until it has stopped; see L(Session.wait)."""
    task = parse_upid(upid)
    if task is None:
        raise Failed(f"not a task: {upid!r}")
    base = f"/nodes/{task.node}/tasks/{quote(upid, safe='')}"
    start = last_answer = clock()
    for pause in pauses():
        try:
            state: dict[str, Any] = session.get(f"{base}/status")
            last_answer = clock()
        except (Unreachable, AnswerLost):
            if clock() - last_answer > PATIENCE_WITHOUT_ANSWER:
                raise
            state = {}
        if state.get("status") == "stopped":
            return _judge(session, base, upid, str(state.get("exitstatus", "")), check)
        left = start + timeout - clock()
        if left <= 0:
            raise TaskUnfinished(
                f"task {task.type} {task.id or ''} on {task.node} still runs after {timeout:g} s".replace("  ", " "),
                remedy="it goes on; give it more time or look at it in the task list",
                upid=upid,
                log=tuple(read_log(session, base)),
            )
        sleep(min(pause, max(left, 0.0)))
    raise AssertionError("unreachable")


def _judge(session: Session, base: str, upid: str, exitstatus: str, check: bool) -> TaskResult:
    if exitstatus == "OK":
        return TaskResult(upid, "stopped", exitstatus)
    log = tuple(read_log(session, base))
    warnings = tuple(line for line in log if line.upper().startswith("WARN"))
    result = TaskResult(upid, "stopped", exitstatus, warnings, log)
    if result.ok or not check:
        return result
    cause = classify_text(exitstatus)
    task = parse_upid(upid)
    if task is None:
        raise AssertionError
    raise TaskFailed(
        exitstatus or "task ended without a status",
        remedy=cause.remedy,
        method="task",
        path=f"{task.type} {task.id}".strip(),
        upid=upid,
        exitstatus=exitstatus,
        log=log,
        cause=cause,
    )


def read_log(session: Session, base: str, limit: int = LOG_TAIL) -> list[str]:
    """The last lines of a task's log; an unreadable log never hides the error that made us look."""
    try:
        lines = session.get(f"{base}/log", start=0, limit=5000)
    except SessionError:
        return []
    return [str(line.get("t", "")) for line in lines if line.get("t") not in (None, "no content")][-limit:]
