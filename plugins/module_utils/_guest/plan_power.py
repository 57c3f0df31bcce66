# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running or not: the steps at the end of a plan, and those that remove a guest.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from typing import Any

from .._plan import Plan, Step
from .errors import Refused
from .state import GuestState
from .wish import GuestWish


def plan_power(
    wish: GuestWish, current: GuestState, *, restart_needed: bool, changed: bool, is_new: bool = False
) -> Plan:
    """The steps that lead to the state, after everything else has been settled."""
    name = current.name or wish.label
    running = current.is_running
    before: dict[str, Any] = {}
    after: dict[str, Any] = {"status": "stopped"} if is_new else {}
    stop = Step("stop", f"Stop {name}.", {"force": wish.force, "timeout": wish.timeout})
    start = Step("start", f"Start {name}.", {"timeout": wish.timeout})
    if wish.state == "template":
        if current.is_template:
            return Plan((), before, after)
        steps: tuple[Step, ...] = (Step("make_template", f"Make {name} a template.", {}),)
        if running:
            if not wish.force:
                raise Refused(f"{name} runs and shall become a template.", "Stop it first, or say force: true.")
            steps = (stop, *steps)
            before["status"], after["status"] = "running", "stopped"
        return Plan(steps, before if is_new else {**before, "template": False}, {**after, "template": True})
    if current.is_template:
        if wish.state in ("started", "restarted"):
            raise Refused(f"{name} is a template and cannot be started.", "Declare state: template, or another guest.")
        return Plan((), before, after)
    if wish.state == "stopped" and running:
        return Plan((stop,), {"status": "running"}, {"status": "stopped"})
    if wish.state in ("started", "restarted") and not running:
        shown = {} if is_new else {"status": current.status}
        return Plan((start,), shown, {"status": "running"})
    wants_restart = wish.state == "restarted" or (
        wish.state in ("present", "started")
        and ((wish.restart_policy == "if_required" and restart_needed) or (wish.restart_policy == "always" and changed))
    )
    if wants_restart and running:
        always = wish.state == "restarted" or wish.restart_policy == "always"
        why = "" if always else " if something waits for it"
        step = Step(
            "restart",
            f"Stop {name} and start it again{why}.",
            {"force": wish.force, "timeout": wish.timeout, "only_if_pending": not always},
        )
        return Plan((step,), {"status": "running"}, {"status": "running (restarted)"})
    return Plan((), before, after)


def plan_absence(wish: GuestWish, current: GuestState | None) -> Plan:
    """Remove a guest; one that runs or is protected only when that was said."""
    if current is None:
        return Plan()
    name = current.name or str(current.vmid)
    steps = []
    if str(current.config.get("protection", "0")) == "1":
        if not wish.force:
            raise Refused(f"{name} ({current.vmid}) is protected.", "Take protection away first, or say force: true.")
        steps.append(
            Step(
                "configure",
                "Take the protection away.",
                {"settings": {}, "delete": ["protection"], "as_task": False},
            )
        )
    if current.is_running:
        if not wish.force:
            raise Refused(f"{name} ({current.vmid}) is running.", "Stop it first, or say force: true.")
        steps.append(Step("stop", f"Stop {name} at once.", {"force": True, "timeout": wish.timeout, "at_once": True}))
    arguments = {"purge": wish.purge, "destroy_unreferenced_disks": wish.destroy_unreferenced_disks}
    steps.append(Step("destroy", f"Remove {name} ({current.vmid}) and its disks.", arguments))
    before = {"vmid": current.vmid, "node": current.node, "name": current.name, "status": current.status}
    before.update({key: "********" if key == "cipassword" else value for key, value in current.config.items()})
    return Plan(tuple(steps), before, {})
