# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster resource manager of one node: who is master, and when it works."""

from __future__ import annotations

from practice_pve.ha.manager import Manager
from practice_pve.ha.surroundings import JsonObject, Surroundings

MANAGER_LOCK = "ha_manager_lock"
IDLE_SECONDS, ACTIVE_SECONDS = 5.0, 10.0
LOCK_TRIES = 6
# Rounds without any service until the master steps down: 15 minutes, longer than the local managers'
MAX_IDLE_ROUNDS = 90


class ClusterManager:
    """States: wait_for_quorum, slave, master, lost_manager_lock."""

    def __init__(self, world: Surroundings) -> None:
        self.world = world
        self.state = "wait_for_quorum"
        self.manager: Manager | None = None
        self.wants_to_end = False
        self._idle_rounds = 0
        self._is_complete = False
        self._is_disarmed = False

    def request_shutdown(self) -> None:
        """End with the next round."""
        self.wants_to_end = True

    def round(self) -> float | None:
        """One round; the seconds until the next, None when it has ended."""
        self._is_complete = self.world.refresh()
        self._change_state()
        if self.state == "master":
            return self._work()
        if self.state == "lost_manager_lock":
            self.world.close_watchdog()
            self._set("wait_for_quorum")
        return None if self.wants_to_end else IDLE_SECONDS

    def _set(self, state: str) -> None:
        if state == self.state:
            return
        self.world.log("info", f"status change {self.state} => {state}")
        self.state = state
        self.manager = Manager(self.world) if state == "master" else None

    def _change_state(self) -> None:
        if self.state in ("wait_for_quorum", "slave"):
            if not self._has_work():
                self._set("wait_for_quorum")
            else:
                self._set("master" if self._get_lock(tries=1) else "slave")
        elif self.state == "master":
            if not self._get_lock():
                self._set("lost_manager_lock")
            elif not self._may_idle():
                self._idle_rounds = 0
            else:
                self._idle_rounds += 1
                if self._idle_rounds > MAX_IDLE_ROUNDS:
                    self._idle_rounds = 0
                    self.world.log(
                        "info", f"cluster had no service configured for {MAX_IDLE_ROUNDS} rounds, going idle."
                    )
                    self.world.release_lock(MANAGER_LOCK)
                    self.world.close_watchdog()
                    self._set("wait_for_quorum")

    def _get_lock(self, tries: int = LOCK_TRIES) -> bool:
        """The manager's lock, renewed; a watchdog guards it (not while HA is disarmed)."""
        for attempt in range(tries):
            if self.world.get_lock(MANAGER_LOCK):
                if not self._is_disarmed:
                    self._is_disarmed = self.world.read_manager_status().get("disarm", {}).get("state") == "disarmed"
                if not self._is_disarmed:
                    self.world.feed_watchdog()
                return True
            if attempt + 1 < tries:
                self.world.sleep(1)
        return False

    def _is_healthy(self, status: JsonObject) -> bool:
        """Quorate, and this very node is not to be fenced."""
        fenced = any(
            service.get("node") == self.world.nodename and service.get("state") == "fence"
            for service in status.get("service_status", {}).values()
        )
        return self.world.is_quorate() and self._is_complete and not fenced

    def _has_work(self) -> bool:
        status = self.world.read_manager_status()
        if not self._is_healthy(status):
            return False
        if self.world.read_resources():
            return True
        master, nodes = status.get("master_node"), status.get("node_status", {})
        if master and master != self.world.nodename and nodes.get(master) == "online":
            return False
        requests = status.get("node_request", {})
        left_maintenance = any(
            state == "maintenance" and not requests.get(node, {}).get("maintenance") for node, state in nodes.items()
        )
        leftovers = bool(status.get("service_status")) or "disarm" in status
        return left_maintenance or leftovers or self.world.has_commands()

    def _may_idle(self) -> bool:
        status = self.world.read_manager_status()
        if not self._is_healthy(status) or "disarm" in status:
            return False
        return not self.world.read_resources() and not status.get("service_status")

    def _work(self) -> float | None:
        if self.wants_to_end:
            self.world.close_watchdog()
            self.world.log("info", "voluntary release CRM lock")
            self.world.release_lock(MANAGER_LOCK)
            return None
        if self._is_complete and self.manager is not None:
            self.manager.manage()
            if self.manager.is_disarmed and not self._is_disarmed:
                self.world.log("info", "HA stack fully disarmed, releasing CRM watchdog")
                self.world.close_watchdog()
            self._is_disarmed = self.manager.is_disarmed
        return ACTIVE_SECONDS
