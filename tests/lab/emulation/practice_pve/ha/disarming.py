# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA laid down for a while (disarm-ha): services are left alone, watchdogs and locks given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from practice_pve.ha.manager import Manager

_TRANSIENT = ("fence", "recovery", "migrate", "relocate")
_KEPT = ("state", "node", "uid", "maintenance_node")
_TO_FREEZE = ("started", "stopped", "request_stop", "request_start", "request_start_balance")


def hold_services(manager: Manager) -> set[str]:
    """Freeze (or ignore) all services; those that first have to finish something are returned instead."""
    waiting = {sid for sid, service in manager.services.items() if service["state"] in _TRANSIENT}
    if waiting:
        return waiting
    disarm = manager.status["disarm"]
    for service in manager.services.values():
        if disarm["mode"] == "freeze" and service["state"] not in _TO_FREEZE:
            continue
        for key in set(service) - set(_KEPT):
            del service[key]
        if disarm["mode"] == "freeze":
            service["state"] = "freeze"
            manager.renew(service)
    if all(manager.modes.get(node) == "disarm" for node in manager.nodes.online()) and disarm["state"] != "disarmed":
        manager.world.log("info", "all LRMs disarmed, HA stack is now fully disarmed")
        disarm["state"] = "disarmed"
    manager.is_disarmed = disarm["state"] == "disarmed"
    return set()
