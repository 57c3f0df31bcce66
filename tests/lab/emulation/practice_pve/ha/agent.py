# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a local manager does with a guest: bring it into the state that the manager wants, through the node's own API."""

from __future__ import annotations

import os
from typing import Protocol

from practice_pve.ha.surroundings import JsonObject

SUCCESS, ERROR, TRY_AGAIN, WRONG_NODE = 0, 1, 2, 3
UNKNOWN_COMMAND, UNKNOWN_SERVICE, IGNORED = 5, 7, 8
STOP_SECONDS = 60


class Guests(Protocol):
    """The guests of this node."""

    def is_running(self, sid: str) -> bool: ...
    def start(self, sid: str) -> None: ...
    def shut_down(self, sid: str, timeout: int) -> None: ...
    def cut_power(self, sid: str) -> None: ...
    def migrate(self, sid: str, target: str, online: bool) -> bool:
        """True when the guest has left this node."""
        ...


def bring_into_state(
    guests: Guests, node: str, sid: str, resource: JsonObject | None, state: str, params: JsonObject
) -> int:
    """Act, and return the exit code that the manager is told."""
    if resource is None:
        return UNKNOWN_SERVICE
    if state == "error":
        return SUCCESS
    if resource.get("node") != node:
        return WRONG_NODE
    if state == "started":
        return _start(guests, sid)
    if state in ("request_stop", "stopped"):
        return _stop(guests, sid, params.get("timeout"))
    if state in ("migrate", "relocate", "request_start_balance"):
        return _move(guests, sid, state, str(params["target"]))
    return UNKNOWN_COMMAND


def _start(guests: Guests, sid: str) -> int:
    if not guests.is_running(sid):
        guests.start(sid)
    return SUCCESS if guests.is_running(sid) else ERROR


def _stop(guests: Guests, sid: str, timeout: int | None) -> int:
    if not guests.is_running(sid):
        return SUCCESS
    if timeout == 0:
        guests.cut_power(sid)
    else:
        guests.shut_down(sid, timeout or STOP_SECONDS)
    return ERROR if guests.is_running(sid) else SUCCESS


def _move(guests: Guests, sid: str, state: str, target: str) -> int:
    running = guests.is_running(sid)
    if state == "request_start_balance" and running:
        return IGNORED
    if state == "relocate" and running:
        guests.shut_down(sid, STOP_SECONDS)
    return SUCCESS if guests.migrate(sid, target, online=state == "migrate") else ERROR


class ApiGuests:
    """The guests as the node's API knows them; HA asks as root and waits for the tasks."""

    def __init__(self, node: str) -> None:
        self._node = node

    def is_running(self, sid: str) -> bool:
        """True while the guest runs."""
        return self._call("GET", sid, "status/current").get("status") == "running"

    def start(self, sid: str) -> None:
        """Start and wait."""
        self._task(sid, "status/start")

    def shut_down(self, sid: str, timeout: int) -> None:
        """Ask the guest to end, by force after the timeout."""
        self._task(sid, "status/shutdown", timeout=timeout, forceStop=1)

    def cut_power(self, sid: str) -> None:
        """Stop at once."""
        self._task(sid, "status/stop")

    def migrate(self, sid: str, target: str, online: bool) -> bool:
        """Move, with local disks when there are any."""
        flags = {"online": int(online), "force": 1, "with-local-disks": 1} if sid.startswith("vm:") else {"restart": 1}
        self._task(sid, "migrate", target=target, **flags)
        directory = "qemu-server" if sid.startswith("vm:") else "lxc"
        return not os.path.exists(f"/etc/pve/nodes/{self._node}/{directory}/{sid.partition(':')[2]}.conf")

    def _call(self, verb: str, sid: str, path: str, **params: object) -> JsonObject:
        return self._invoke(verb, sid, path, params)  # type: ignore[return-value]

    def _task(self, sid: str, path: str, **params: object) -> None:
        upid = str(self._invoke("POST", sid, path, params))
        try:
            # the task is a child of this process: UPID:NODE:PID:...
            os.waitpid(int(upid.split(":")[2], 16), 0)
        except ChildProcessError:
            return

    def _invoke(self, verb: str, sid: str, path: str, params: dict[str, object]) -> object:
        # imported late: the API imports the HA package
        import practice_pve.api  # noqa: F401
        from practice_pve.rest import invoke

        kind, _, name = sid.partition(":")
        url = f"/nodes/{self._node}/{'qemu' if kind == 'vm' else 'lxc'}/{name}/{path}"
        return invoke(verb, url, params, user="root@pam", environment="ha")
