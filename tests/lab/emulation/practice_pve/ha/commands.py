# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the administrator tells the manager: the lines of ha/crm_commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from practice_pve.ha.manager import Manager


def obey(manager: Manager, text: str) -> None:
    """Take note of every command; the services follow in the round."""
    for line in text.splitlines():
        match line.split():
            case ["migrate" | "relocate" as task, sid, node]:
                _move(manager, task, sid, node, line)
            case ["stop", sid, timeout] if timeout.isdigit():
                if _is_known(manager, sid, line):
                    manager.services[sid]["cmd"] = ["stop", int(timeout)]
            case ["enable-node-maintenance", node]:
                _enable_maintenance(manager, node, line)
            case ["disable-node-maintenance", node]:
                manager.status.get("node_request", {}).get(node, {}).pop("maintenance", None)
            case ["disarm-ha", "freeze" | "ignore" as mode]:
                if "disarm" not in manager.status:
                    manager.world.log("info", f"got crm command: {line}")
                    manager.status["disarm"] = {"mode": mode, "state": "disarming"}
            case ["arm-ha"]:
                _arm(manager)
            case []:
                pass
            case _:
                manager.world.log("err", f"unable to parse crm command: {line}")


def _is_known(manager: Manager, sid: str, line: str) -> bool:
    if sid in manager.services:
        manager.world.log("info", f"got crm command: {line}")
        return True
    manager.world.log("err", f"crm command error - no such service: {line}")
    return False


def _move(manager: Manager, task: str, sid: str, node: str, line: str) -> None:
    log = manager.world.log
    if sid not in manager.services:
        log("err", f"crm command error - no such service: {line}")
        return
    if not manager.nodes.is_online(node):
        log("err", f"crm command error - node not online: {line}")
        return
    if manager.services[sid]["node"] == node:
        log("info", f"ignore crm command - service already on target node: {line}")
        return
    for other in sorted(manager.rules.apart.get(sid, ())):
        service = manager.services.get(other)
        if service and service.get("node", node) == node and service.get("target", node) == node:
            log("err", f"crm command '{line}' error - service '{other}' on node '{node}' in negative affinity"
                f" with service '{sid}'")  # fmt: skip
            return
    log("info", f"got crm command: {line}")
    manager.services[sid]["cmd"] = [task, node]
    for other in sorted(manager.rules.together.get(sid, ())):
        service = manager.services.get(other)
        if service and node not in (service.get("node"), service.get("target")):
            service["cmd"] = [task, node]


def _enable_maintenance(manager: Manager, node: str, line: str) -> None:
    state, log = manager.nodes.state(node), manager.world.log
    if "disarm" in manager.status:
        log("warn", f"ignoring maintenance command for node {node} - HA stack is disarmed")
    elif state == "online":
        manager.status.setdefault("node_request", {}).setdefault(node, {})["maintenance"] = 1
    elif state == "maintenance":
        log("info", f"ignoring crm command - node {node} is already in maintenance state")
    else:
        log("err", f"crm command error - node not online: {line}")


def _arm(manager: Manager) -> None:
    disarm = manager.status.pop("disarm", None)
    if disarm and disarm["mode"] == "ignore":
        # guests may have been moved by hand meanwhile
        for sid, service in manager.services.items():
            service["node"] = manager.resources.get(sid, {}).get("node", service["node"])
