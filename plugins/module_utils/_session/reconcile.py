# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a lost answer: has the work begun?"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from .errors import AnswerLost
from .interface import Session
from .tasks import pauses
from .upid import Upid, parse_upid

# HTTP's Date has whole seconds, and a node's clock may be a little off the one that answers.
CLOCK_SLACK = 3.0
_NODE = re.compile(r"/nodes/([^/]+)/")


def find_lost_task(
    session: Session,
    lost: AnswerLost,
    types: Iterable[str],
    object_id: object = "",
    node: str | None = None,
    *,
    patience: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str | None:
    """The UPID of a task of our user, of one of these types and of this id, that began when the lost call was sent and whose
    UPID nobody was given. None after C(patience) seconds without one: then the state must tell. The work of another run as
    the same user on the same object cannot be told from ours."""
    match = _NODE.match(lost.path)
    node = node or (match[1] if match else None)
    if node == "localhost":
        node = session.node
    wanted = frozenset(types)
    end = clock() + patience
    for pause in pauses():
        found = [
            task
            for task in _tasks(session, node, lost.sent_at)
            if task.type in wanted and task.id == str(object_id) and task.user == session.user
        ]
        if found:
            return min(found, key=lambda task: task.starttime).text
        if clock() + pause > end:
            return None
        sleep(pause)
    raise AssertionError("unreachable")


def _tasks(session: Session, node: str | None, sent_at: float) -> list[Upid]:
    since = int(sent_at - CLOCK_SLACK)
    rows: list[dict[str, Any]]
    if node:
        rows = session.get(f"/nodes/{node}/tasks", source="all", since=since, limit=500)
    else:
        rows = session.get("/cluster/tasks")
    known = session.known_tasks()
    tasks = [parse_upid(row.get("upid")) for row in rows]
    return [task for task in tasks if task is not None and task.starttime >= since and task.text not in known]
