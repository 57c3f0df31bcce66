# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of tasks: /var/log/pve/tasks/active (running and recent ones) and index (the archive)."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .upid import TASK_DIRECTORY, Upid, parse_upid, read_status

MAXIMUM_FINISHED = 25
MAXIMUM_INDEX_SIZE = 50000
ACTIVE_LINE = re.compile(r"(\S+)\s(\d)(?:\s([0-9A-Fa-f]{8})(?:\s(\S.*))?)?")
INDEX_LINE = re.compile(r"(\S+)(?:\s([0-9A-Fa-f]{8})\s(\S.*))?")


def describe(upid: Upid, **more: Any) -> dict[str, Any]:
    """Return a task as the API shows it."""
    return {
        "upid": str(upid),
        "node": upid.node,
        "pid": upid.pid,
        "pstart": upid.pstart,
        "starttime": upid.starttime,
        "type": upid.type,
        "id": upid.id,
        "user": upid.user,
        **more,
    }


@contextmanager
def list_lock() -> Iterator[None]:
    """Hold the lock of the active list."""
    TASK_DIRECTORY.mkdir(parents=True, exist_ok=True)
    with open(TASK_DIRECTORY / ".active.lock", "a", encoding="ascii") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def read_active() -> list[dict[str, Any]]:
    """Return the active file's entries."""
    try:
        lines = (TASK_DIRECTORY / "active").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    tasks = []
    for line in lines:
        found = ACTIVE_LINE.fullmatch(line)
        if found:
            more: dict[str, Any] = {"saved": found[2]}
            if found[3]:
                more |= {"endtime": int(found[3], 16), "status": found[4]}
            tasks.append(describe(parse_upid(found[1]), **more))
    return tasks


def write_active(tasks: list[dict[str, Any]]) -> None:
    """Replace the active file."""
    lines = []
    for task in tasks:
        line = f"{task['upid']} {int(task.get('saved') or 0)}"
        if task.get("endtime"):
            line += f" {task['endtime']:08X} {task['status']}"
        lines.append(line + "\n")
    temporary = TASK_DIRECTORY / f"active.tmp.{os.getpid()}"
    temporary.write_text("".join(lines), encoding="utf-8")
    temporary.replace(TASK_DIRECTORY / "active")


def active_workers(new: Upid | None = None, *, surely_running: bool = False) -> list[dict[str, Any]]:
    """Bring the active list up to date and return it: running tasks, then the latest finished ones."""
    with list_lock():
        tasks = {task["upid"]: task for task in read_active()}
        save = new is not None
        if new is not None:
            tasks.setdefault(str(new), describe(new))
        running, finished = [], []
        for task in tasks.values():
            alive = parse_upid(task["upid"]).running or (
                surely_running and new is not None and task["upid"] == str(new)
            )
            del task["pstart"]
            if alive and not task.get("endtime"):
                running.append(task)
            else:
                del task["pid"]
                finished.append(task)
        finished.sort(key=lambda task: -task["starttime"])
        for task in finished:
            if not task.get("endtime"):
                task["endtime"] = int(time.time())
                task["status"] = read_status(parse_upid(task["upid"]))
                save = True
        unsaved = [task for task in finished if not int(task.get("saved") or 0)]
        if unsaved:
            append_index(unsaved)
            save = True
        result = running + finished[: max(0, MAXIMUM_FINISHED - len(running))]
        if save:
            write_active(result)
    return result


def append_index(tasks: list[dict[str, Any]]) -> None:
    """Put finished tasks into the archive."""
    index = TASK_DIRECTORY / "index"
    with open(index, "a", encoding="utf-8") as stream:
        for task in tasks:
            stream.write(f"{task['upid']} {task['endtime']:08X} {task['status']}\n")
            task["saved"] = 1
        size = stream.tell()
    if size > MAXIMUM_INDEX_SIZE:
        index.replace(TASK_DIRECTORY / "index.1")


def read_index() -> Iterator[dict[str, Any]]:
    """Yield the archived tasks, newest first."""
    for name in ("index", "index.1"):
        try:
            lines = (TASK_DIRECTORY / name).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            continue
        for line in reversed(lines):
            found = INDEX_LINE.fullmatch(line)
            if found:
                more = {"endtime": int(found[2], 16), "status": found[3]} if found[2] else {}
                yield describe(parse_upid(found[1]), **more)


def broadcast(tasks: list[dict[str, Any]]) -> None:
    """Tell the cluster about this node's tasks."""
    from .cluster_state import broadcast_status

    broadcast_status("tasklist", json.dumps(tasks))
