# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HA's manager and the local managers say about themselves, out of their status files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from practice_pve import settings
from practice_pve.ha.resources import load_with_defaults
from practice_pve.pmxcfs import client

MANAGER_FILE = "ha/manager_status"
_DEAD_AFTER = 30
_DRIFT = -2


def read_manager_status() -> dict:
    """The manager's state; a node that never had one says nothing."""
    return _read_json(MANAGER_FILE)


def read_local_status(node: str) -> dict:
    """A node's local manager."""
    return _read_json(f"nodes/{node}/lrm_status")


def _read_json(path: str) -> dict:
    text = client.read(path)
    return json.loads(text) if text and text.strip() else {}


def is_local_manager_active(node: str) -> bool:
    """True when the node's local manager holds its lock: corosync must then not be restarted carelessly."""
    return read_local_status(node).get("state") in ("active", "maintenance")


def describe_age(timestamp: int) -> str:
    """`active` for a fresh timestamp, else what is wrong with it."""
    age = time.time() - timestamp
    if age > _DEAD_AFTER:
        return "old timestamp - dead?"
    return "detected time drift!" if age < _DRIFT else "active"


def current_status() -> list[dict]:
    """GET /cluster/ha/status/current, and line by line what `ha-manager status` prints."""
    node = settings.nodename()
    quorate = client.is_quorate()
    status = read_manager_status()
    resources = load_with_defaults()
    entries: list[dict] = [
        {
            "id": "quorum",
            "type": "quorum",
            "node": node,
            "status": "OK" if quorate else f"No quorum on node '{node}'!",
            "quorate": int(quorate),
        }
    ]
    master, timestamp = status.get("master_node"), status.get("timestamp")
    is_active = bool(master) and timestamp is not None and describe_age(timestamp) == "active"
    if master and timestamp:
        text = describe_age(timestamp)
        if quorate and text != "active" and not resources:
            text = "idle"
        entries.append(
            {
                "id": "master",
                "type": "master",
                "node": master,
                "status": f"{master} ({text}, {_local_time(timestamp)}){_disarm_suffix(status)}",
                "timestamp": timestamp,
            }
        )
    entries.append({"id": "fencing", "type": "fencing", "node": master or node, **_fencing(status, is_active)})
    entries += [_local_entry(name, status) for name in sorted(status.get("node_status", {}))]
    services = status.get("service_status", {})
    first_service = len(entries)
    entries += [_service_entry(sid, resources.get(sid), services[sid]) for sid in sorted(services)]
    entries += [_service_entry(sid, resources[sid], None) for sid in sorted(resources) if sid not in services]
    if status.get("disarm", {}).get("mode") == "ignore":
        for entry in entries[first_service:]:
            entry["state"] = "ignore"
            entry["status"] = f"{entry['sid']} ({entry.get('node') or '---'}, ignore)"
    return entries


def _disarm_suffix(status: Mapping) -> str:
    disarm = status.get("disarm")
    return f" - {disarm['state']}, resource mode: {disarm['mode']}" if disarm else ""


def _fencing(status: Mapping, is_active: bool) -> dict:
    disarm = status.get("disarm")
    if disarm:
        state, mode = disarm["state"], disarm["mode"]
        watchdog = "released" if state == "disarmed" else "active"
        text = f"{state}, resource mode: {mode} (CRM watchdog {watchdog})"
        return {"status": text, "armed-state": state, "resource_mode": mode}
    armed, watchdog = ("armed", "active") if is_active else ("standby", "standby")
    return {"status": f"{armed} (CRM watchdog {watchdog})", "armed-state": armed}


def _local_entry(node: str, status: Mapping) -> dict:
    local = read_local_status(node)
    entry = {"id": f"lrm:{node}", "type": "lrm", "node": node}
    if not local.get("timestamp"):
        return {**entry, "status": f"{node} (unable to read lrm status)"}
    age = describe_age(local["timestamp"])
    mode, state = local.get("mode"), local.get("state") or "unknown"
    if age == "active" and state in ("active", "maintenance"):
        watchdog = "watchdog active"
    else:
        watchdog = "watchdog released" if mode == "disarm" else "watchdog standby"
    text = age
    if age == "active":
        if (mode or "active") != "active":
            text = f"{mode} mode"
        elif state == "wait_for_agent_lock" and not _active_services(status, node):
            text = "idle"
        else:
            text = state
    elif mode in ("maintenance", "disarm"):
        text = f"{mode} mode"
    shown = f"{node} ({text}, {watchdog}, {_local_time(local['timestamp'])})"
    return {**entry, "status": shown, "timestamp": local["timestamp"]}


def _active_services(status: Mapping, node: str) -> int:
    quiet = (None, "stopped", "freeze", "error", "request_start")
    return sum(
        1
        for service in status.get("service_status", {}).values()
        if node in (service.get("node"), service.get("target")) and service.get("state") not in quiet
    )


def _service_entry(sid: str, configured: Mapping | None, service: Mapping | None) -> dict:
    entry: dict = {"id": f"service:{sid}", "type": "service", "sid": sid}
    if service:
        entry.update({"node": service.get("node"), "crm_state": service.get("state")})
    elif configured and "node" in configured:
        entry["node"] = configured["node"]
    entry["state"] = _verbose_state(service, configured)
    entry["status"] = f"{sid} ({entry.get('node') or '---'}, {entry['state']})"
    if configured:
        entry["request_state"] = configured["state"]
        for key in ("max_restart", "max_relocate", "failback", "comment"):
            if key in configured:
                entry[key] = configured[key]
    return entry


def _verbose_state(service: Mapping | None, configured: Mapping | None) -> str:
    """One word for a service between the manager's state and the request."""
    if not configured:
        return "deleting"
    wanted = configured["state"]
    if wanted == "ignored":
        return "ignored"
    if "node" not in configured:
        return "not found"
    current = (service or {}).get("state")
    if current is None:
        return "queued"
    if current == "stopped":
        return {"started": "starting", "disabled": "disabled"}.get(wanted, "stopped")
    if current == "started":
        if not (service or {}).get("running"):
            return "starting"
        return "stopping" if wanted in ("stopped", "disabled") else "started"
    return "clearing error flag" if current == "error" and wanted == "disabled" else str(current)


def _local_time(timestamp: int) -> str:
    """The time as Perl's localtime writes it."""
    return time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(timestamp))
