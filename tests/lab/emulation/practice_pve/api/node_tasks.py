# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/tasks: what workers do and did."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from practice_pve.access import permissions
from practice_pve.access.tokens import is_token_id, split_token_id
from practice_pve.rest import AnyUser, ApiError, Call, NotEmulated, ParameterErrors, api_method
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import NODE, VMID, Array, Boolean, Integer, Null, Object, Text, optional
from practice_pve.rest.task_list import active_workers, read_active, read_index
from practice_pve.rest.upid import Upid, is_error, parse_upid, read_status

UPID = Text()
PARTS = {"node": NODE, "upid": UPID}
COLUMNS = {
    "upid": Text(title="UPID"),
    "node": Text(title="Node"),
    "pid": Integer(title="PID"),
    "pstart": Integer(),
    "starttime": Integer(title="Starttime", renderer="timestamp"),
    "type": Text(title="Type"),
    "id": Text(title="ID"),
    "user": Text(title="User"),
    "endtime": Integer(optional=True, title="Endtime", renderer="timestamp"),
    "status": Text(optional=True, title="Status"),
}


def split_owner(task: dict[str, Any]) -> dict[str, Any]:
    """Name the token apart from its user."""
    if is_token_id(task["user"]):
        user, token = split_token_id(task["user"])
        return {**task, "user": user, "tokenid": token}
    return task


def is_owner(task: dict[str, Any], user: str) -> bool:
    """True for the task's user; a token sees only its own tasks."""
    if task.get("tokenid"):
        return user in (f"{task['user']}!{task['tokenid']}", task["user"])
    return user == task["user"]


def status_kind(status: str | None) -> str:
    """Return ok, warning, error or unknown."""
    if not status or status == "unexpected status":
        return "unknown"
    if status == "OK":
        return "ok"
    return "error" if is_error(status) else "warning"


class Filter:
    """Which tasks are listed."""

    def __init__(self, call: Call) -> None:
        self.given = call.params
        self.user = str(call.user)
        self.auditor = permissions.has(self.user, f"/nodes/{call.params['node']}", ["Sys.Audit"])
        kinds = {"ok", "warning", "error", "unknown"}
        if self.given.get("errors"):
            kinds.discard("ok")
        elif "statusfilter" in self.given:
            kinds = {kind.lower() for kind in split_list(self.given["statusfilter"])}
        self.kinds = kinds
        self.count = 0
        self.remaining = self.given.get("limit", 50)

    def wants(self, task: dict[str, Any]) -> bool:
        """Count a matching task; True when it belongs on the asked page."""
        given = self.given
        if not (self.auditor or is_owner(task, self.user)):
            return False
        if "userfilter" in given and given["userfilter"].lower() not in task["user"].lower():
            return False
        if "typefilter" in given and task["type"] != given["typefilter"]:
            return False
        if "vmid" in given and task["id"] != str(given["vmid"]):
            return False
        if not given.get("since", 0) <= task["starttime"] <= given.get("until", task["starttime"]):
            return False
        if status_kind(task.get("status")) not in self.kinds:
            return False
        self.count += 1
        if self.count <= given.get("start", 0) or self.remaining <= 0:
            return False
        self.remaining -= 1
        return True


@api_method(
    "GET",
    "/nodes/{node}/tasks",
    permissions=AnyUser(),
    proxyto="node",
    child_link="upid",
    parameters={
        "node": NODE,
        "start": Integer(minimum=0, default=0, optional=True),
        "limit": Integer(minimum=0, default=50, optional=True),
        "userfilter": Text(optional=True),
        "typefilter": Text(optional=True),
        "vmid": optional(VMID),
        "errors": Boolean(default=0, optional=True),
        "source": Text(enum=("archive", "active", "all"), default="archive", optional=True),
        "since": Integer(optional=True),
        "until": Integer(optional=True),
        "statusfilter": Text(format="pve-task-status-type-list", optional=True),
    },
    returns=Array(items=Object(properties=COLUMNS)),
)
def list_tasks(call: Call) -> list[dict[str, Any]]:
    """List finished tasks, running ones, or both."""
    wanted = Filter(call)
    source = call.params.get("source", "archive")
    # the real daemon archives a task when its worker ends; here the next look does it
    active_workers()
    result = []
    if source != "archive":
        for task in read_active():
            if not int(task.pop("saved", 0)):
                task = split_owner(task)
                if wanted.wants(task):
                    result.append({**task, "status": task.get("status") or "RUNNING"})
    if source != "active":
        result += [task for task in map(split_owner, read_index()) if wanted.wants(task)]
    call.result_attributes["total"] = wanted.count
    return result


@api_method(
    "GET",
    "/nodes/{node}/tasks/{upid}",
    permissions=AnyUser(),
    parameters=PARTS,
    child_link="name",
    returns=Array(items=Object(properties={})),
)
def task_index(_call: Call) -> list[dict[str, str]]:
    """List the parts of a task."""
    return [{"name": "log"}, {"name": "status"}]


def find_task(call: Call, privilege: str) -> tuple[Upid, dict[str, Any]]:
    """Return a task that exists and that the caller may see."""
    try:
        upid = parse_upid(call.params["upid"])
    except ApiError:
        raise ParameterErrors({"upid": "unable to parse worker upid"}) from None
    if not upid.log_file.is_file():
        raise ParameterErrors({"upid": "no such task"})
    task = split_owner({"user": upid.user})
    if not is_owner(task, str(call.user)):
        permissions.require(str(call.user), f"/nodes/{call.params['node']}", [privilege])
    return upid, task


@api_method(
    "GET",
    "/nodes/{node}/tasks/{upid}/status",
    permissions=AnyUser(),
    protected=True,
    proxyto="node",
    parameters=PARTS,
    returns=Object(properties={name: COLUMNS[name] for name in ("pid", "starttime", "type", "id", "user", "node")}),
)
def task_status(call: Call) -> dict[str, Any]:
    """Return whether a task runs, and how it ended."""
    upid, owner = find_task(call, "Sys.Audit")
    result = {
        "upid": str(upid), "node": upid.node, "pid": upid.pid, "pstart": upid.pstart, "starttime": upid.starttime,
        "type": upid.type, "id": upid.id, **owner, "status": "running",
    }  # fmt: skip
    if not upid.running:
        result |= {"status": "stopped", "exitstatus": read_status(upid)}
    return result


@api_method(
    "GET",
    "/nodes/{node}/tasks/{upid}/log",
    permissions=AnyUser(),
    protected=True,
    proxyto="node",
    parameters={
        **PARTS,
        "start": Integer(minimum=0, default=0, optional=True),
        "limit": Integer(minimum=0, default=50, optional=True),
        "download": Boolean(optional=True),
    },
    returns=Array(items=Object(properties={"n": Integer(), "t": Text()})),
)
def task_log(call: Call) -> list[dict[str, Any]]:
    """Return lines of a task's log."""
    if call.params.get("download"):
        raise NotEmulated("download of task logs")
    upid, _owner = find_task(call, "Sys.Audit")
    start, limit = call.params.get("start", 0), call.params.get("limit", 50)
    lines = upid.log_file.read_text(encoding="utf-8", errors="replace").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    call.result_attributes["total"] = len(lines) or 1
    # limit 0 means everything
    page = list(enumerate(lines, 1))[start : start + limit if limit else None]
    if not lines:
        return [{"n": 1, "t": "no content"}]
    return [{"n": number, "t": text} for number, text in page]


@api_method(
    "DELETE",
    "/nodes/{node}/tasks/{upid}",
    permissions=AnyUser(),
    protected=True,
    proxyto="node",
    parameters=PARTS,
    returns=Null(),
)
def stop_task(call: Call) -> None:
    """Stop a task's process group: TERM, and KILL five seconds later."""
    upid, _owner = find_task(call, "Sys.Modify")
    if not upid.running:
        return
    for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 0)):
        try:
            os.killpg(upid.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if _has_ended(upid):
                return
            time.sleep(0.1)


def _has_ended(upid: Upid) -> bool:
    # A property that was true once is taken for true for ever by the type checker; a process may end at any time.
    return not upid.running
