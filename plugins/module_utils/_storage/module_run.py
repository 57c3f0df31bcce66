# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the work on storages: the only place that ends a module.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._desired.errors import InvalidValue
from .._plan import Plan, apply_plan
from .._session.errors import SessionError
from .._session.interface import Session, join_path
from .._session.options import open_session
from .connect import Connector
from .errors import StorageError
from .look import read_definition, read_nodes, read_uses
from .plan_storage import Definition, nodes_to_ask, plan_storage
from .reach import Connect, demand_reachable
from .wish import StorageWish, parse_wish


@dataclass(frozen=True)
class Settled:
    plan: Plan
    warnings: tuple[str, ...]
    checked_nodes: tuple[str, ...]
    definition: Definition | None


def run_module(module: AnsibleModule) -> None:
    try:
        wish = parse_wish(module.params)
        with open_session(module.params) as session:
            settled = settle(session, wish, Connector(session.node), module.check_mode)
            warnings = [*settled.warnings, *session.warnings]
    except InvalidValue as error:
        module.fail_json(msg=str(error), key=error.key or None)
    except StorageError as error:
        module.fail_json(msg=str(error), remedy=error.remedy, nodes=error.nodes)
    except SessionError as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    else:
        for warning in dict.fromkeys(warnings):
            module.warn(warning)
        module.exit_json(**_result(wish, settled))


def settle(session: Session, wish: StorageWish, connect: Connect, check_mode: bool) -> Settled:
    """Look, ask the nodes, plan, and carry the plan out unless it is only to be shown."""
    current = read_definition(session, wish.name)
    uses = read_uses(session, wish.name) if wish.state == "absent" and current else []
    plan = plan_storage(wish, current, uses)
    warnings, asked = list(plan.warnings), []
    if plan.changed and wish.check_reachable:
        online = read_nodes(session)
        asked = nodes_to_ask(wish, current, sorted(name for name, is_online in online.items() if is_online))
        kind = current.type if current else wish.type
        if asked and kind:
            keys = {**(current.keys if current else {}), **wish.keys}
            warnings += demand_reachable(session, kind, keys, asked, online, connect)
    definition = current
    if plan.changed and not check_mode:
        apply_plan(
            plan,
            {
                "create": lambda values: session.create("/storage", storage=wish.name, **values),
                "change": lambda values: session.set(join_path("storage", wish.name), **values),
                "remove": lambda: session.delete(join_path("storage", wish.name)),
            },
        )
        definition = read_definition(session, wish.name)
    return Settled(plan, tuple(warnings), tuple(asked), definition)


def _result(wish: StorageWish, settled: Settled) -> dict[str, Any]:
    return {
        "changed": settled.plan.changed,
        "diff": settled.plan.diff,
        "actions": settled.plan.summaries,
        "name": wish.name,
        "definition": settled.definition.shown() if settled.definition else {},
        "checked_nodes": list(settled.checked_nodes),
    }
