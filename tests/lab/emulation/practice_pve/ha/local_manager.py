# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local resource manager of one node: holds the node's lock while it looks after services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from practice_pve.ha.agent import ERROR, SUCCESS, TRY_AGAIN, Guests, bring_into_state
from practice_pve.ha.surroundings import JsonObject, Surroundings
from practice_pve.rest.errors import ApiError

WAITING, ACTIVE, MAINTENANCE, LOST = "wait_for_agent_lock", "active", "maintenance", "lost_agent_lock"
IDLE_SECONDS, ACTIVE_SECONDS = 5.0, 10.0
LOCK_TRIES = 6
MAX_WORKERS = 4
WORK_SECONDS = 8
# Rounds without any service until the lock is given up: 10 minutes
MAX_IDLE_ROUNDS = 60
_UNCOUNTED = (None, "stopped", "freeze", "error", "request_start")
_NOT_OURS = ("recovery", "freeze", "request_start", "fence")


@dataclass
class Job:
    """Something to do with one service; without a uid nobody is told the result."""

    uid: str | None
    state: str
    params: JsonObject = field(default_factory=dict)
    poll: Callable[[], int | None] | None = None


class LocalManager:
    """States: wait_for_agent_lock, active, maintenance, lost_agent_lock."""

    def __init__(self, world: Surroundings, guests: Guests) -> None:
        self.world = world
        self.guests = guests
        self.state = WAITING
        self.mode = "active"
        self.results: dict[str, JsonObject] = {}
        self.wants_to_end = False
        self._jobs: dict[str, Job] = {}
        self._tries: dict[str, int] = {}
        self._services: dict[str, JsonObject] = {}
        self._node_state = "unknown"
        self._idle_rounds = 0
        self._shutdown_errors = 0
        self._has_written = False
        self._lock = f"ha_agent_{world.nodename}_lock"

    # -- shutdown ------------------------------------------------------------------------------------------------------

    def request_shutdown(self) -> None:
        """The daemon is stopped: freeze the services, or stop them when the node goes down."""
        if self.wants_to_end:
            return
        self.wants_to_end = True
        kind, policy = self.world.shutdown_kind(), self.world.shutdown_policy()
        if kind and policy == "migrate":
            self.mode = MAINTENANCE
        elif kind:
            for sid, service in self._services.items():
                if service.get("node") == self.world.nodename:
                    self._queue(sid, Job(None, "request_stop"))
            if self.mode != MAINTENANCE:
                freezes = policy == "freeze" or (policy == "conditional" and kind == "reboot")
                self.mode = "restart" if freezes else "shutdown"
        elif self.mode != MAINTENANCE:
            self.mode = "restart"
        self._write()

    # -- the round -----------------------------------------------------------------------------------------------------

    def round(self) -> float | None:
        """One round; the seconds until the next, None when it has ended."""
        is_complete = self.world.refresh()
        if not self._has_written and not self._write():
            return None if self.wants_to_end else IDLE_SECONDS
        self._read_manager()
        self._change_state()
        if self.state == WAITING:
            if self.wants_to_end:
                return None
            self._write()
            return IDLE_SECONDS
        if self.state == LOST:
            if self.wants_to_end and not self.active_services():
                self.world.close_watchdog()
                return None
            return IDLE_SECONDS
        if self.state == MAINTENANCE:
            return self._work_in_maintenance()
        ended = is_complete and self._work()
        self._write()
        return None if ended else ACTIVE_SECONDS

    def _read_manager(self) -> None:
        status = self.world.read_manager_status()
        self._services = status.get("service_status", {})
        self._node_state = status.get("node_status", {}).get(self.world.nodename, "unknown")
        if self.wants_to_end:
            return
        if status.get("node_request", {}).get(self.world.nodename, {}).get("maintenance"):
            self.mode = MAINTENANCE
        elif status.get("disarm"):
            self.mode = "disarm"
        elif self.mode in (MAINTENANCE, "disarm"):
            self.mode = "active"

    def active_services(self) -> int:
        """Services that this node has or gets."""
        return sum(
            1
            for service in self._services.values()
            if self.world.nodename in (service.get("node"), service.get("target"))
            and service.get("state") not in _UNCOUNTED
        )

    def _must_be_fenced(self) -> bool:
        return self._node_state == "fence" or any(
            service.get("node") == self.world.nodename and service.get("state") == "fence"
            for service in self._services.values()
        )

    def _get_lock(self) -> bool:
        for attempt in range(LOCK_TRIES):
            if self.world.get_lock(self._lock):
                self.world.feed_watchdog()
                return True
            if attempt + 1 < LOCK_TRIES:
                self.world.sleep(1)
        return False

    def _set(self, state: str) -> None:
        if state != self.state:
            self.world.log("info", f"status change {self.state} => {state}")
            self.state = state

    def _go_idle(self) -> None:
        self.world.release_lock(self._lock)
        self.world.close_watchdog()
        self._set(WAITING)

    def _change_state(self) -> None:
        fenced = self._must_be_fenced()
        if self.state in (WAITING, LOST):
            wanted = self.state == LOST or (self.mode != "disarm" and self.active_services())
            if wanted and not fenced and self.world.is_quorate() and self._get_lock():
                self._set(ACTIVE)
        elif fenced:
            self.world.log("err", "node needs to be fenced - releasing agent_lock")
            self._set(LOST)
        elif self.state == ACTIVE:
            self._change_active()
        elif self.mode == "disarm" and not self.active_services() and not self._run():
            self._go_idle()
        elif self.active_services() or self._run():
            if not self._get_lock():
                self._set(LOST)
        elif self.mode != MAINTENANCE:
            self._set(ACTIVE if self._get_lock() else LOST)

    def _change_active(self) -> None:
        if not self._get_lock():
            self._set(LOST)
        elif self.mode == MAINTENANCE:
            self._set(MAINTENANCE)
        elif self.mode == "disarm" and not self._run():
            self.world.log("info", "HA disarm requested, releasing agent lock and watchdog")
            self._go_idle()
        elif any(service.get("node") == self.world.nodename for service in self._services.values()) or self._run():
            self._idle_rounds = 0
        else:
            self._idle_rounds += 1
            if self._idle_rounds > MAX_IDLE_ROUNDS:
                self._idle_rounds = 0
                self.world.log("info", f"node had no service configured for {MAX_IDLE_ROUNDS} rounds, going idle.")
                self._go_idle()

    def _work(self) -> bool:
        """Look after the services; True when the daemon may end."""
        self._read_manager()
        if not self.wants_to_end:
            self._manage()
            return False
        running = self._run()
        if running or (self.mode == "restart" and self.active_services()):
            return False
        if self.mode == "restart" or not self._shutdown_errors:
            self.world.close_watchdog()
            self.world.release_lock(self._lock)
        return True

    def _work_in_maintenance(self) -> float | None:
        self._read_manager()
        is_empty = self.active_services() == 0 and not self._run()
        if is_empty:
            self.world.close_watchdog()
            self.world.release_lock(self._lock)
        ends = is_empty and self.wants_to_end
        if not ends:
            self._manage()
        self._write()
        return None if ends else IDLE_SECONDS

    # -- services ------------------------------------------------------------------------------------------------------

    def _manage(self) -> None:
        self._tries = {sid: count for sid, count in self._tries.items() if sid in self._services}
        for sid, service in self._services.items():
            uid, state = service.get("uid"), service.get("state", "")
            if service.get("node") != self.world.nodename or not uid or state in _NOT_OURS:
                continue
            params: JsonObject = {key: service[key] for key in ("target", "timeout") if key in service}
            # `stopped` is done again and again: nobody waits for it, and it protects when no master is there
            if state == "stopped" or uid not in self.results:
                self._queue(sid, Job(uid, state, params))
        self._run()

    def _queue(self, sid: str, job: Job) -> None:
        present = self._jobs.get(sid)
        if present is None or present.poll is None:
            self._jobs[sid] = job

    def _run(self) -> int:
        """Start what is queued and wait a while; the number of jobs that still run or wait."""
        started = self.world.now()
        resources = self.world.read_resources() if self._jobs else {}
        while self._jobs and self.world.now() - started <= WORK_SECONDS:
            self._collect()
            running = sum(1 for job in self._jobs.values() if job.poll)
            for sid, job in sorted(self._jobs.items()):
                if job.poll is None and running < MAX_WORKERS:
                    job.poll = self.world.start_work(self._work_on(sid, resources.get(sid), job))
                    running += 1
            if not running:
                break
            self.world.sleep(1)
        return len(self._jobs)

    def _work_on(self, sid: str, resource: JsonObject | None, job: Job) -> Callable[[], int]:
        return lambda: bring_into_state(self.guests, self.world.nodename, sid, resource, job.state, job.params)

    def _collect(self) -> None:
        for sid, job in list(self._jobs.items()):
            code = job.poll() if job.poll else None
            if code is None:
                continue
            del self._jobs[sid]
            if job.uid is None:
                self._shutdown_errors += code != SUCCESS
                continue
            code = self._judge(sid, job.state, code)
            if code != TRY_AGAIN:
                self.results[job.uid] = {"sid": sid, "state": job.state, "exit_code": code}
                valid = {service.get("uid") for service in self._services.values()}
                self.results = {uid: result for uid, result in self.results.items() if uid in valid}

    def _judge(self, sid: str, state: str, code: int) -> int:
        """max_restart: a failed start is tried again here before the manager hears of it."""
        if state != "started":
            return code
        if code != ERROR:
            self._tries.pop(sid, None)
            return code
        tries = self._tries.get(sid, 0)
        if tries >= int(self.world.read_resources().get(sid, {}).get("max_restart", 0)):
            self.world.log("err", f"unable to start service {sid} on local node after {tries} retries")
            self._tries[sid] = 0
            return ERROR
        self._tries[sid] = tries + 1
        self.world.log("warning", f"restart policy: retry number {tries + 1} for service '{sid}'")
        return TRY_AGAIN

    def _write(self) -> bool:
        if not self.world.is_quorate():
            return False
        try:
            self.world.write_local_status(
                {"mode": self.mode, "results": self.results, "state": self.state, "timestamp": int(self.world.now())}
            )
        except ApiError as error:
            self.world.log("err", f"unable to write lrm status file - {error.message}")
            return False
        self._has_written = True
        return True
