# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a service in each state: one function per state, called once per round of the manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from practice_pve.ha.agent import ERROR, IGNORED, SUCCESS, WRONG_NODE
from practice_pve.ha.surroundings import JsonObject

if TYPE_CHECKING:
    from practice_pve.ha.manager import Manager

Result = JsonObject | None
Transition = Callable[["Manager", str, JsonObject, JsonObject, Result], None]


def _requested(wanted: JsonObject) -> str:
    return "started" if wanted["state"] == "started" else "request_stop"


def _fence_when_gone(manager: Manager, sid: str, service: JsonObject) -> bool:
    if not manager.nodes.has_left(service["node"]):
        return False
    manager.change(sid, "fence")
    return True


def request_stop(manager: Manager, sid: str, _wanted: JsonObject, service: JsonObject, result: Result) -> None:
    """Wait for the local manager's stop."""
    if result is None:
        _fence_when_gone(manager, sid, service)
    elif result["exit_code"] == SUCCESS:
        manager.change(sid, "stopped")
    else:
        manager.world.log("err", f"service '{sid}' stop failed (exit code {result['exit_code']})")
        manager.change(sid, "error")


def moving(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, result: Result) -> None:
    """Wait for a migration or relocation."""
    if result is None:
        _fence_when_gone(manager, sid, service)
        return
    code, log = result["exit_code"], manager.world.log
    if code == SUCCESS:
        manager.change(sid, _requested(wanted), node=service["target"])
    elif code == WRONG_NODE:
        log("err", f"service '{sid}' - migration failed: service registered on wrong node!")
        manager.change(sid, "error")
    elif code == IGNORED:
        manager.change(sid, _requested(wanted))
    else:
        log("err", f"service '{sid}' - migration failed (exit code {code})")
        manager.change(sid, _requested(wanted))


def stopped(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, _result: Result) -> None:
    """Stay down until something is wanted."""
    log = manager.world.log
    if "node" in wanted and service["node"] != wanted["node"]:
        log("info", f"fixup service '{sid}' location ({service['node']} => {wanted['node']})")
        service["node"] = wanted["node"]
    if "cmd" in service:
        command, argument = service.pop("cmd")
        if command == "stop":
            log("info", f"ignore service '{sid}' {command} request - service already stopped")
        elif _may_move(manager, sid, service, command, argument):
            manager.change(sid, command, target=argument)
            return
    if wanted["state"] == "disabled":
        return
    if manager.nodes.state(service["node"]) != "maintenance" and _fence_when_gone(manager, sid, service):
        return
    if wanted["state"] == "started":
        manager.change(sid, "request_start")


def _may_move(manager: Manager, sid: str, service: JsonObject, command: str, target: str) -> bool:
    log = manager.world.log
    if not manager.nodes.is_online(target):
        log("err", f"ignore service '{sid}' {command} request - node '{target}' not online")
    elif service["node"] == target:
        log("info", f"ignore service '{sid}' {command} request - service already on node '{target}'")
    else:
        return True
    return False


def request_start(manager: Manager, sid: str, _wanted: JsonObject, _service: JsonObject, _result: Result) -> None:
    """Start where it is; a wrong place is found by the next step."""
    manager.change(sid, "started")


def started(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, result: Result) -> None:
    """Watch a service that should run, move it where it belongs."""
    node = service["node"]
    if not manager.nodes.is_online(node):
        _fence_when_gone(manager, sid, service)
        if manager.nodes.state(node) != "maintenance":
            return
        service["maintenance_node"] = node
    if wanted["state"] in ("disabled", "stopped"):
        manager.change(sid, "request_stop")
    elif "cmd" in service:
        _obey_command(manager, sid, service)
    else:
        preference = _judge_start(manager, sid, wanted, service, result)
        if preference:
            _place(manager, sid, service, preference, result)


def _obey_command(manager: Manager, sid: str, service: JsonObject) -> None:
    command, argument = service.pop("cmd")
    if command == "stop":
        manager.change(sid, "request_stop", timeout=argument)
        # without this the next round would start it again
        manager.world.set_state(sid, "stopped")
    elif _may_move(manager, sid, service, command, argument):
        manager.world.log("info", f"{command} service '{sid}' to node '{argument}'")
        manager.change(sid, command, target=argument)


def _judge_start(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, result: Result) -> str:
    """How to choose the node after the local manager's answer; empty when the service is in error now."""
    if result is None:
        return "none"
    code, log = result["exit_code"], manager.world.log
    if code == SUCCESS:
        service.pop("failed_nodes", None)
        service["running"] = 1
        return "none"
    failed = service.setdefault("failed_nodes", [])
    failed.append(service["node"])
    if code not in (ERROR, WRONG_NODE):
        log("err", f"service '{sid}' got unrecoverable error (exit code {code})")
    elif len(failed) <= wanted["max_relocate"]:
        service.pop("running", None)
        log("warning", f"starting service {sid} on node '{service['node']}' failed, relocating service.")
        return "try-next"
    else:
        names = ", ".join(failed)
        log("err", f"recovery policy for service {sid} failed, entering error state. Failed nodes: {names}")
    manager.change(sid, "error")
    return ""


def _place(manager: Manager, sid: str, service: JsonObject, preference: str, result: Result) -> None:
    node, current = manager.choose(sid, preference), service["node"]
    fallback = service.get("maintenance_node")
    if node and node != current:
        if fallback is not None and (node == fallback or current != fallback):
            del service["maintenance_node"]
        word = "migrate" if sid.startswith("vm:") else "relocate"
        suffix = " (running)" if word == "migrate" else ""
        manager.world.log("info", f"{word} service '{sid}' to node '{node}'{suffix}")
        manager.change(sid, word, target=node)
        return
    if fallback == current and manager.nodes.is_online(current):
        service.pop("maintenance_node", None)
    if result is not None:
        # a service that went down by itself is started again by the local manager
        manager.renew(service)


def freeze(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, _result: Result) -> None:
    """Nobody touches it until its local manager is back."""
    if manager.modes.get(service["node"]) == "active":
        manager.change(sid, _requested(wanted))


def error(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, _result: Result) -> None:
    """Only `disabled` leads out."""
    if wanted["state"] == "disabled":
        service.pop("failed_nodes", None)
        manager.change(sid, "stopped")


def recovery(manager: Manager, sid: str, wanted: JsonObject, service: JsonObject, _result: Result) -> None:
    """Its node is fenced: take the configuration and go elsewhere."""
    source, log = service["node"], manager.world.log
    target = manager.choose(sid, "best-score")
    if target is None:
        log("err", f"recovering service '{sid}' from fenced node '{source}' failed, no recovery node found")
        if wanted["state"] == "disabled":
            service.pop("failed_nodes", None)
            manager.change(sid, "stopped")
        return
    if target == source:
        log("info", f"recover service '{sid}' to previous failed and fenced node '{source}' again")
    else:
        log("info", f"recover service '{sid}' from fenced node '{source}' to node '{target}'")
    manager.world.remove_guest_lock(sid, source)
    manager.world.move_config(sid, source, target)
    wanted["node"] = target
    manager.change(sid, _requested(wanted), node=target)


def fence(_manager: Manager, _sid: str, _wanted: JsonObject, _service: JsonObject, _result: Result) -> None:
    """Wait until the node is fenced."""


TRANSITIONS: dict[str, Transition] = {
    "request_stop": request_stop,
    "migrate": moving,
    "relocate": moving,
    "request_start_balance": moving,
    "stopped": stopped,
    "request_start": request_start,
    "started": started,
    "freeze": freeze,
    "error": error,
    "recovery": recovery,
    "fence": fence,
}
