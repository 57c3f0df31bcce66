# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shutting a guest down, and rebooting it: by its agent, by ACPI, at last by force."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._session.errors import Denied, SessionError, TaskFailed, TaskUnfinished
from .._session.interface import Session
from .._session.tasks import pauses
from .agent import AgentError

# What a task may take beyond the time limit that it was given.
SLACK = 30


@dataclass(frozen=True)
class PowerResult:
    changed: bool
    way: str  # agent, acpi, acpi_after_agent, ha, reboot, stop, or empty


class Power:
    """The rungs of the ladder for one guest."""

    def __init__(
        self,
        session: Session,
        node: str,
        vmid: int,
        timeout: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._base = f"/nodes/{node}/qemu/{vmid}"
        self._vmid = vmid
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep

    def state(self) -> dict[str, Any]:
        return dict(self._session.get(f"{self._base}/status/current"))

    def shut_down(self, *, agent_answers: bool, force: bool) -> PowerResult:
        state = self.state()
        if state.get("status") == "stopped":
            return PowerResult(False, "")
        if (state.get("ha") or {}).get("managed"):
            return self._by_ha(force)
        # Proxmox VE takes the agent when it answers a ping, and else ACPI; before 8.3.4 an agent that is enabled and silent made
        # it fail.
        why = self._task("shutdown", timeout=self._timeout)
        if why is None:
            return PowerResult(True, "agent" if agent_answers else "acpi")
        return PowerResult(True, self._insist(why, agent_answers=agent_answers, force=force))

    def _insist(self, why: str, *, agent_answers: bool, force: bool) -> str:
        """The rungs that Proxmox VE itself does not take."""
        if agent_answers and self._press_button():
            return "acpi_after_agent"
        if not force:
            raise AgentError(
                f"{self._vmid} did not go down within {self._timeout} s: {why} (give it more time, or say force_stop: true to switch it off)"
            )
        self._stop()
        return "stop"

    def reboot(self, *, agent_answers: bool, force: bool) -> PowerResult:
        """Stop and start, so that waiting changes are applied; Proxmox VE does that in one task."""
        state = self.state()
        if state.get("status") == "stopped":
            raise AgentError(f"{self._vmid} is off and cannot be rebooted")
        why = self._task("reboot", timeout=self._timeout)
        if why is None:
            return PowerResult(True, "reboot")
        way = self._insist(why, agent_answers=agent_answers, force=force)
        self.start()
        return PowerResult(True, way)

    def start(self) -> None:
        failure = self._task("start")
        if failure is not None:
            raise AgentError(f"{self._vmid} is off now and did not start again: {failure}")
        # Under HA the task only asks for the start.
        if not self._await("running", self._timeout):
            raise AgentError(f"{self._vmid} is off now and did not start again within {self._timeout} s")

    def _by_ha(self, force: bool) -> PowerResult:
        """The HA manager does it: a guest that only went off would be started again. The answer comes with the request."""
        self._task("shutdown", timeout=self._timeout)
        if self._await("stopped", self._timeout + SLACK):
            return PowerResult(True, "ha")
        if not force:
            raise AgentError(
                f"the HA manager did not stop {self._vmid} within {self._timeout + SLACK} s (look at ha-manager status)"
            )
        self._task("stop")
        if not self._await("stopped", self._timeout + SLACK):
            raise AgentError(f"the HA manager did not stop {self._vmid}, not even by force (look at ha-manager status)")
        return PowerResult(True, "stop")

    def _press_button(self) -> bool:
        """The agent has taken the command and nothing came of it: try ACPI, which Proxmox VE itself would not any more."""
        try:
            self._session.create(f"{self._base}/monitor", command="system_powerdown")
        except Denied:
            return False
        return self._await("stopped", self._timeout)

    def _stop(self) -> None:
        failure = self._task("stop")
        if failure is not None and not self._await("stopped", 0):
            raise AgentError(f"{self._vmid} could not be stopped: {failure}")

    def _task(self, name: str, **params: Any) -> str | None:
        """Start the task and wait for its end; what it failed with, if it did."""
        upid = self._session.create(f"{self._base}/status/{name}", **params)
        try:
            self._session.wait(str(upid), self._timeout + SLACK)
        except TaskFailed as error:
            return error.message
        except TaskUnfinished as error:
            return str(error)
        return None

    def _await(self, status: str, seconds: float) -> bool:
        end = self._clock() + seconds
        for pause in pauses():
            try:
                if self.state().get("status") == status:
                    return True
            except SessionError:
                pass  # the HA manager may move it to another node meanwhile: the time limit decides
            left = end - self._clock()
            if left <= 0:
                return False
            self._sleep(min(pause, left))
        raise AssertionError("unreachable")
