# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out the steps of a plan for one guest, and believe tasks and states only.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .._plan import Plan, apply_plan
from .._session.errors import AnswerLost, Busy, Exists, SessionError, TaskFailed, TaskUnfinished
from .._session.interface import Session
from .._session.reconcile import find_lost_task
from .._session.retry import Retry
from .errors import GuestError
from .guest_types import QEMU, GuestType
from .reservation import unlock_container
from .snippets import write_snippet
from .state import read_pending

#: A clone waits one second for its source's lock; a template's clones of a whole fleet queue up there.
_PATIENT = Retry(attempts=30, first_pause=0.5, longest_pause=5.0, seconds=600.0)
_STATUS_PAUSE = 0.3


@dataclass
class Applier:
    session: Session
    node: str
    vmid: int
    type: GuestType = QEMU
    digest: str = ""
    timeout: int = 300
    warnings: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"/nodes/{self.node}/{self.type.kind}/{self.vmid}"

    def apply(self, plan: Plan) -> None:
        names = ("create", "clone", "configure", "move_disk", "resize", "set_pool", "start", "stop", "restart",
                 "make_template", "destroy", "remove_husk", "write_snippet", "ha_add", "ha_set", "ha_remove")  # fmt: skip
        for step in plan.steps:
            apply_plan(Plan((step,)), {name: getattr(self, name) for name in names})
            self.done.append(step.summary)

    def _task(
        self, actions: Iterable[str], call: Callable[[], Any], task_id: object = None, timeout: float | None = None
    ) -> None:
        """A write that starts a task, to the task's end. A lost answer is looked for in the tasks before anybody repeats it."""
        try:
            upid = call()
        except AnswerLost as lost:
            types = tuple(self.type.tasks.get(action, action) for action in actions)
            upid = find_lost_task(self.session, lost, types, self.vmid if task_id is None else task_id, self.node)
            if upid is None:
                raise
        if isinstance(upid, str) and upid.startswith("UPID:"):
            self.warnings += self.session.wait(upid, timeout or max(self.timeout, 600)).warnings

    def create(self, parameters: dict[str, Any]) -> None:
        call = {"vmid": self.vmid, **parameters}
        self._task(["create"], lambda: self.session.create(f"/nodes/{self.node}/{self.type.kind}", **call))

    def clone(self, source: int, source_node: str, full: bool, **options: Any) -> None:
        parameters = {"newid": self.vmid, "full": full, **options}
        if source_node != self.node:
            parameters["target"] = self.node
        path = f"/nodes/{source_node}/{self.type.kind}/{source}/clone"

        def work() -> None:
            self._task(["clone"], lambda: self.session.create(path, **parameters), task_id=source)

        _PATIENT.call(work, on=(Busy, TaskFailed), when=_is_short_lock)

    def configure(self, settings: dict[str, Any], delete: list[str], as_task: bool) -> None:
        if any("@" in str(text).partition(",")[0] for text in settings.values()):
            settings = self._with_volumes(settings)
        call: dict[str, Any] = {**settings, "digest": self.digest or None, "delete": ",".join(delete) or None}
        self.digest = ""
        if as_task:
            self._task(["config"], lambda: self.session.create(f"{self.base}/config", **call))
        else:
            self.session.set(f"{self.base}/config", **call)

    def _with_volumes(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Volumes that have been made or moved have their names only now: C(local:@scsi0) becomes what scsi0 really has."""
        config = self.session.get(f"{self.base}/config", current=True)
        filled = dict(settings)
        for slot, text in settings.items():
            volume = str(text).partition(",")[0]
            if volume.endswith((f":@{slot}", ":@cloudinit")):
                codec = self.type.volumes
                there, wanted = codec.parse(config[slot]), codec.parse(text)
                filled[slot] = codec.format({**wanted, "file": there["file"], "size": there.get("size")})
        return filled

    def move_disk(self, disk: str, storage: str, image_format: str | None) -> None:
        if self.type.kind == "lxc":
            path, call = f"{self.base}/move_volume", dict[str, Any](volume=disk)
        else:
            path, call = f"{self.base}/move_disk", {"disk": disk, "format": image_format}
        self.digest = ""
        self._task(["move"], lambda: self.session.create(path, storage=storage, delete=True, **call), timeout=7200)

    def resize(self, disk: str, size: str) -> None:
        self.digest = ""
        self._task(["resize"], lambda: self.session.set(f"{self.base}/resize", disk=disk, size=size))

    def set_pool(self, pool: str) -> None:
        self.session.set("/pools", poolid=pool, vms=str(self.vmid), **{"allow-move": True})

    def start(self, timeout: int) -> None:
        try:
            self._task(["start", "hastart"], lambda: self.session.create(f"{self.base}/status/start"), timeout=timeout)
        except (TaskFailed, Exists):
            # Another run may have been faster; whether it runs is what counts.
            if not self._is("running"):
                raise
        self._wait_for("running", timeout)

    def stop(self, force: bool, timeout: int, at_once: bool = False) -> None:
        if at_once:
            self._task(["stop", "hastop"], lambda: self.session.create(f"{self.base}/status/stop"), timeout=timeout)
        else:
            call = {"timeout": timeout if not force else min(timeout, 60), "forceStop": force}
            try:
                self._task(
                    ["shutdown", "hastop"],
                    lambda: self.session.create(f"{self.base}/status/shutdown", **call),
                    timeout=timeout + 30,
                )
            except TaskFailed as error:
                raise GuestError(
                    f"The guest did not shut down: {error.exitstatus}.",
                    "Is something inside that listens (the agent, or ACPI)? force: true stops it hard.",
                ) from error
        self._wait_for("stopped", timeout)

    def restart(self, force: bool, timeout: int, only_if_pending: bool) -> None:
        # Only a full stop and start applies what is pending; a reboot inside the guest does not.
        if only_if_pending and not read_pending(self.session.get(f"{self.base}/pending"))[1]:
            return
        self.stop(force, timeout)
        self.start(timeout)

    def make_template(self) -> None:
        self._task(["template"], lambda: self.session.create(f"{self.base}/template"))

    def destroy(self, purge: bool, destroy_unreferenced_disks: bool) -> None:
        call = {"purge": purge, "destroy-unreferenced-disks": destroy_unreferenced_disks}
        self._task(["destroy"], lambda: self.session.delete(self.base, **call))

    def remove_husk(self) -> None:
        """What a killed creation left: an id with a lock and nothing else."""
        skip: dict[str, Any] = {"skiplock": True}
        if self.type.kind == "lxc":
            # The API has no way around a container's lock.
            unlock_container(self.session, self.node, self.vmid)
            skip = {}
        self._task(["destroy"], lambda: self.session.delete(self.base, **skip))

    def ha_add(self, sid: str, settings: dict[str, str]) -> None:
        self.session.create("/cluster/ha/resources", sid=sid, **settings)

    def ha_set(self, sid: str, settings: dict[str, str]) -> None:
        self.session.set(f"/cluster/ha/resources/{sid}", **settings)

    def ha_remove(self, sid: str) -> None:
        self.session.delete(f"/cluster/ha/resources/{sid}")

    def write_snippet(self, storage: str, name: str, content: str) -> None:
        write_snippet(self.session, storage, name, self.node, content)

    def _is(self, status: str) -> bool:
        return str(self.session.get(f"{self.base}/status/current").get("status")) == status

    def _wait_for(self, status: str, timeout: float) -> None:
        """High availability answers when it has taken the request; the state tells when it has been done."""
        end = time.monotonic() + timeout
        while True:
            now = str(self.session.get(f"{self.base}/status/current").get("status"))
            if now == status:
                return
            if time.monotonic() > end:
                raise GuestError(
                    f"It is {now} and not {status} after {timeout} s.",
                    "Look at its tasks, and at high availability if it is managed.",
                )
            time.sleep(_STATUS_PAUSE)


def _is_short_lock(error: SessionError) -> bool:
    """Refused because somebody else had a lock for the moment: nothing was made."""
    cause = error.cause if isinstance(error, TaskFailed) else error
    return isinstance(cause, Busy) and not (isinstance(error, TaskUnfinished))
