# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and HA for one guest.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._desired.errors import InvalidValue
from .._plan import Plan, apply_plan
from .._session.errors import SessionError
from .._session.interface import Session, join_path
from .._session.options import open_session
from .errors import HaError
from .look import Configuration, Guest, find_guest, read_configuration, unmovable_volumes
from .plan_guest import expected_node, plan_guest
from .status import PAUSE, Service, read_status
from .wish import HaWish, parse_wish


@dataclass(frozen=True)
class Settled:
    plan: Plan
    sid: str
    expected: str | None
    service: Service | None
    warnings: tuple[str, ...]


def run_module(module: AnsibleModule) -> None:
    params: Mapping[str, Any] = module.params
    patience = params["timeout"] if params["wait"] and not module.check_mode else 0
    try:
        wish = parse_wish(params)
        with open_session(params) as session:
            settled = settle(session, wish, module.check_mode, patience)
            warnings = [*settled.warnings, *session.warnings]
    except InvalidValue as error:
        module.fail_json(msg=str(error), key=error.key or None)
    except (HaError, SessionError) as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    else:
        for warning in dict.fromkeys(warnings):
            module.warn(warning)
        service = settled.service
        module.exit_json(
            changed=settled.plan.changed,
            diff=settled.plan.diff,
            actions=settled.plan.summaries,
            guest=settled.sid,
            expected_node=settled.expected,
            node=service.node if service else None,
            service_state=service.state if service else None,
        )


def settle(session: Session, wish: HaWish, check_mode: bool, patience: float = 0) -> Settled:
    """Look, plan, and carry the plan out unless it is only to be shown; then wait for the managers."""
    current = read_configuration(session)
    guest = find_guest(session, wish.guest)
    sid = guest.sid if guest else _sid_of_missing(wish, current)
    plan = plan_guest(wish, sid, current)
    expected = None if wish.absent else expected_node(wish, current)
    warnings = _warn_of_volumes(session, guest) if guest and plan.changed and not wish.absent else ()
    if plan.changed and not check_mode:
        apply_plan(plan, _actions(session))
    service = _wait(session, wish, sid, expected, patience) if plan.changed or patience else None
    return Settled(plan, sid, expected, service, warnings)


def _sid_of_missing(wish: HaWish, current: Configuration) -> str:
    known = [sid for sid in current.resources if wish.guest in (sid, sid.partition(":")[2])]
    if wish.absent:
        return known[0] if known else wish.guest
    raise HaError(f"There is no guest {wish.guest} in the cluster.", "Create it first.")


def _warn_of_volumes(session: Session, guest: Guest) -> tuple[str, ...]:
    volumes = unmovable_volumes(session, guest)
    if not volumes:
        return ()
    return (
        f"{guest.sid} has volumes that other nodes do not have ({', '.join(volumes)}): "
        "unless they are replicated, HA cannot start it elsewhere when its node is gone.",
    )


@dataclass(frozen=True)
class _Branch:
    """One kind of HA's objects in the API; C(fixed) goes with every write."""

    session: Session
    path: str
    key: str
    fixed: Mapping[str, str] = field(default_factory=dict)

    def add(self, name: str, values: Mapping[str, Any]) -> Any:
        return self.session.create(self.path, **{self.key: name, **self.fixed, **values})

    def change(self, name: str, values: Mapping[str, Any]) -> Any:
        return self.session.set(self.path + join_path(name), **{**self.fixed, **values})

    def remove(self, name: str) -> Any:
        return self.session.delete(self.path + join_path(name))


def _actions(session: Session) -> dict[str, Callable[..., Any]]:
    """The plan's steps: each names an object (a resource by its sid, a rule or group by its name) and has values or none."""
    branches = {
        "resource": _Branch(session, "/cluster/ha/resources", "sid"),
        "rule": _Branch(session, "/cluster/ha/rules", "rule", {"type": "node-affinity"}),
        "group": _Branch(session, "/cluster/ha/groups", "group"),
    }
    actions: dict[str, Callable[..., Any]] = {}
    for kind, branch in branches.items():
        actions |= {f"add_{kind}": branch.add, f"set_{kind}": branch.change, f"remove_{kind}": branch.remove}
    return actions


def _wait(session: Session, wish: HaWish, sid: str, expected: str | None, patience: float) -> Service | None:
    """Until the service is as requested and where it belongs; a request to HA only begins the work."""
    deadline = time.monotonic() + patience
    while True:
        service = read_status(session).services.get(sid)
        trouble = _what_is_missing(wish, sid, service, expected)
        if not patience or trouble is None:
            return service
        if service is not None and service.state == "error":
            raise HaError(
                f"{sid} is in state error on {service.node}.",
                "Set it to disabled, put right what failed, and set it to started.",
            )
        if time.monotonic() >= deadline:
            raise HaError(f"After {patience:.0f} seconds {trouble}", "The managers work on; look at ha-manager status.")
        time.sleep(PAUSE)


def _what_is_missing(wish: HaWish, sid: str, service: Service | None, expected: str | None) -> str | None:
    if wish.absent:
        return None if service is None else f"{sid} is still in state {service.state} under HA."
    if service is None:
        return f"HA does not know {sid} yet."
    wanted = wish.keys.get("state", service.request_state)
    if wanted == "ignored":
        return None
    if service.state not in (wanted, *(("stopped",) if wanted == "disabled" else ())):
        return f"{sid} is in state {service.state} on {service.node}, not {wanted}."
    if expected and wanted == "started" and service.node != expected and wish.failback is not False:
        return f"{sid} is on {service.node}, not on {expected}."
    return None
