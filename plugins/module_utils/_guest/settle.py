# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One guest from plan to result: apply, look again where another was faster, read back, wait.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._plan import Plan
from .._session.errors import AnswerLost, Conflict, Exists, SessionError, TaskFailed
from .apply import Applier
from .errors import GuestError
from .findings import Findings
from .look import Looker
from .state import GuestState
from .waiting import wait_for_guest
from .wish import GuestWish

_ATTEMPTS = 8


@dataclass
class GuestResult:
    """What a module returns for one guest."""

    wish: GuestWish
    plan: Plan = field(default_factory=Plan)
    found: Findings | None = None
    state: GuestState | None = None
    done: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    agent: dict[str, Any] = field(default_factory=dict)

    def as_dict(self, check_mode: bool) -> dict[str, Any]:
        vmid = self.state.vmid if self.state else self.found.vmid if self.found else self.wish.vmid
        node = self.state.node if self.state else self.found.node if self.found else self.wish.node
        pending = list(self.state.pending) if self.state and self.state.is_running else []
        shown = {
            "name": self.wish.name or (self.state.name if self.state else ""),
            "vmid": vmid or None,
            "node": node or None,
            "status": self.state.status if self.state else "absent",
            "changed": self.plan.changed if check_mode else bool(self.done),
            "actions": self.plan.summaries if check_mode else self.done,
            "diff": self.plan.diff,
            "pending": pending,
            "restart_required": bool(pending),
            "warnings": self.warnings,
        }
        if self.agent:
            shown["agent"] = self.agent
        if self.error:
            shown.update({"failed": True, "msg": self.error})
        return shown


def settle_guest(looker: Looker, result: GuestResult) -> None:
    """Apply the plan that C(result) holds. Whatever goes wrong with this guest stands in the result."""
    try:
        if result.plan.changed:
            _apply(looker, result)
            _read_back(looker, result)
        if result.wish.wait_for and result.state is not None:
            result.agent = wait_for_guest(looker.session, result.state, result.wish.wait_for)
    except (SessionError, GuestError) as error:
        result.error = describe(error)


def describe(error: Exception) -> str:
    """The message, and of a task the last lines of its log that say more than it."""
    text = str(error)
    if isinstance(error, TaskFailed):
        more = [
            line
            for line in error.log[-6:]
            if line and error.exitstatus not in line and not line.startswith("transferred")
        ]
        if more:
            text += " | " + " | ".join(more)
    return text


def _apply(looker: Looker, result: GuestResult) -> None:
    plan, found = result.plan, result.found
    for attempt in range(_ATTEMPTS):
        if found is None:
            raise AssertionError
        current = found.current
        applier = Applier(
            looker.session,
            found.node,
            found.vmid,
            result.wish.type,
            digest=current.digest if current else "",
            timeout=result.wish.timeout,
        )
        try:
            applier.apply(plan)
        except (AnswerLost, Conflict, Exists, TaskFailed) as error:
            if attempt + 1 == _ATTEMPTS or not _may_look_again(error):
                raise
            # Somebody was faster, or the answer is lost: the state decides what is left to do.
            keeps = None if _is_taken(error) else found.vmid
            if _is_taken(error):
                looker.wait_until_made(result.wish, [GuestState(found.vmid, found.node, kind=result.wish.type.kind)])
            looker.refresh()
            found, plan = looker.plan(result.wish, keeps)
            continue
        finally:
            result.done += applier.done
            result.warnings += applier.warnings
            result.found = found
        return


def _is_taken(error: SessionError) -> bool:
    return isinstance(error.cause if isinstance(error, TaskFailed) else error, Exists)


def _may_look_again(error: SessionError) -> bool:
    return isinstance(error.cause if isinstance(error, TaskFailed) else error, (AnswerLost, Conflict, Exists))


def _read_back(looker: Looker, result: GuestResult) -> None:
    """The configuration as it is now; what is not as declared although everything succeeded is worth a warning."""
    found = result.found
    if found is None:
        raise AssertionError
    result.state = looker.fleet.reload(GuestState(found.vmid, found.node, kind=result.wish.type.kind))
    if result.wish.state == "absent":
        if result.state is not None:
            raise GuestError(f"It is still there as {found.vmid} on {found.node} after its removal.")
        return
    if result.state is None:
        raise GuestError(
            f"{found.vmid} on {found.node} is not there after everything succeeded.", "Did somebody remove it?"
        )
    if result.state.is_running and result.state.pending:
        keys = ", ".join(result.state.pending)
        result.warnings.append(f"{keys}: in force after the next full stop and start (restart_policy does it).")
