# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that makes HA for one guest as it is declared: groups before version 9, node affinity rules from then on.

This file is private to the collection and may change without notice.

Both say the same here: the guest prefers the online node with the highest number; C(strict) forbids all nodes that are not named.
One rule or group is made per guest, so that guests never change each other's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._desired.compare import compare
from .._desired.schema import Schema
from .._plan import Plan, Step
from .errors import HaError
from .look import Configuration
from .tables import GROUP, RESOURCE, RULE
from .wish import HaWish


def plan_guest(wish: HaWish, sid: str, current: Configuration) -> Plan:
    """C(sid) is the guest's full name."""
    if wish.absent:
        steps = _plan_absence(sid, current)
    else:
        _refuse_unknown_nodes(wish, current)
        steps = _plan_rules(wish, sid, current) if current.has_rules else _plan_groups(wish, sid, current)
    return Plan(tuple(steps), describe(sid, current), _foresee(wish, sid, current, steps))


def expected_node(wish: HaWish, current: Configuration) -> str | None:
    """Where the guest will be once all is settled; None if several nodes are as good."""
    online = {node: priority for node, priority in (wish.prefer or {}).items() if current.nodes.get(node)}
    best = [node for node, priority in online.items() if priority == max(online.values())]
    return best[0] if len(best) == 1 else None


def describe(sid: str, current: Configuration) -> dict[str, Any]:
    """The words of a diff: the same for every version, so that a person can compare them."""
    resource = current.resources.get(sid)
    if resource is None:
        return {}
    shown: dict[str, Any] = {key: value for key, value in resource.items() if key not in ("group", "failback")}
    placed = [
        current.placements[name] for name in current.placements_of(sid) if not current.placements[name].get("disable")
    ]
    if current.has_rules:
        shown["failback"] = resource.get("failback", True)
    elif placed:
        shown["failback"] = not placed[0].get("nofailback", False)
    if placed:
        shown["prefer"] = dict(sorted(placed[0]["nodes"].items()))
        shown["strict"] = bool(placed[0].get("strict") or placed[0].get("restricted"))
    return shown


def _foresee(wish: HaWish, sid: str, current: Configuration, steps: list[Step]) -> dict[str, Any]:
    before = describe(sid, current)
    if not steps:
        return before
    if wish.absent:
        return {}
    after = {"state": "started", "failback": True, **before, **wish.keys}
    if wish.failback is not None:
        after["failback"] = wish.failback
    if wish.prefer is not None:
        after.pop("prefer", None)
        after.pop("strict", None)
    if wish.prefer:
        after |= {"prefer": dict(sorted(wish.prefer.items())), "strict": wish.strict}
    return after


def _refuse_unknown_nodes(wish: HaWish, current: Configuration) -> None:
    unknown = set(wish.prefer or ()) - set(current.nodes)
    if unknown:
        raise HaError(f"There is no node {listed(unknown)}; there are {listed(current.nodes)}.", "Correct prefer.")


def listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _own_name(sid: str) -> str:
    return f"prefer-{sid.replace(':', '-')}"


def _own_placement(sid: str, current: Configuration) -> str | None:
    """The rule or group that is for this guest alone, whoever made it: what version 9 made of a group stays in use."""
    alone = [name for name in current.placements_of(sid) if current.members(name) == {sid}]
    return _own_name(sid) if _own_name(sid) in current.placements else next(iter(alone), None)


def _resource_step(
    sid: str, declared: Mapping[str, Any], current: Configuration, absent: tuple[str, ...] = ()
) -> list[Step]:
    known = current.resources.get(sid)
    if known is None:
        values = {"state": declared.get("state", "started"), **_written(RESOURCE, declared)}
        return [Step("add_resource", f"Put {sid} under HA ({values['state']}).", {"name": sid, "values": values})]
    changes = compare(RESOURCE, declared, known, absent)
    if not changes:
        return []
    values = {change.key: change.after for change in changes if change.after}
    deleted = sorted(change.key for change in changes if not change.after)
    summary = f"Set {', '.join(change.key for change in changes)} of {sid}."
    return [Step("set_resource", summary, {"name": sid, "values": values | _delete(deleted)})]


def _placement_step(
    schema: Schema, kind: str, name: str, declared: Mapping[str, Any], current: Configuration
) -> list[Step]:
    known = current.placements.get(name)
    if known is None:
        nodes = schema.rows["nodes"].kind.format(declared["nodes"])
        summary = f"Make the {kind} {name} ({nodes})."
        return [Step(f"add_{kind}", summary, {"name": name, "values": _written(schema, declared)})]
    changes = compare(schema, declared, known)
    if not changes:
        return []
    values = {change.key: change.after for change in changes if change.after}
    deleted = sorted(change.key for change in changes if not change.after)
    shown = "; ".join(
        f"{change.key}: {change.before or 'nothing'} becomes {change.after or 'nothing'}" for change in changes
    )
    return [
        Step(f"set_{kind}", f"Change the {kind} {name} ({shown}).", {"name": name, "values": values | _delete(deleted)})
    ]


def _written(schema: Schema, declared: Mapping[str, Any]) -> dict[str, str]:
    return {change.key: change.after for change in compare(schema, declared, {}) if change.after}


def _delete(keys: list[str]) -> dict[str, str]:
    return {"delete": ",".join(keys)} if keys else {}


def _plan_rules(wish: HaWish, sid: str, current: Configuration) -> list[Step]:
    declared = dict(wish.keys)
    if wish.failback is not None:
        declared["failback"] = wish.failback
    steps = _resource_step(sid, declared, current)
    if wish.prefer is None:
        return steps
    own = _own_placement(sid, current)
    # Two rules for the nodes of one guest contradict each other, and the manager then heeds neither.
    for name in current.placements_of(sid):
        if not wish.prefer or name != own:
            steps += _leave_rule(sid, name, current)
    if wish.prefer:
        rule = {"nodes": dict(wish.prefer), "resources": (sid,), "strict": wish.strict, "disable": False}
        steps += _placement_step(RULE, "rule", own or _own_name(sid), rule, current)
    return steps


def _leave_rule(sid: str, name: str, current: Configuration) -> list[Step]:
    others = current.members(name) - {sid}
    if not others:
        return [Step("remove_rule", f"Remove the rule {name}.", {"name": name})]
    values = {"resources": ",".join(sorted(others))}
    return [Step("set_rule", f"Take {sid} out of the rule {name}.", {"name": name, "values": values})]


def _plan_groups(wish: HaWish, sid: str, current: Configuration) -> list[Step]:
    declared = dict(wish.keys)
    own = _own_placement(sid, current)
    if wish.failback is not None and not wish.prefer:
        raise HaError(
            "Before Proxmox VE 9 a guest has failback only together with its nodes.", "Declare prefer as well."
        )
    if wish.prefer is None:
        return _resource_step(sid, declared, current)
    if not wish.prefer:
        steps = _resource_step(sid, declared, current, ("group",))
        if own == _own_name(sid):
            steps.append(Step("remove_group", f"Remove the group {own}.", {"name": own}))
        return steps
    name = own or _own_name(sid)
    group = {"nodes": dict(wish.prefer), "restricted": wish.strict}
    if wish.failback is not None:
        group["nofailback"] = not wish.failback
    declared["group"] = name
    return [*_placement_step(GROUP, "group", name, group, current), *_resource_step(sid, declared, current)]


def _plan_absence(sid: str, current: Configuration) -> list[Step]:
    steps: list[Step] = []
    if current.has_rules:
        for name in current.placements_of(sid):
            steps += _leave_rule(sid, name, current)
    if sid in current.resources:
        steps.append(Step("remove_resource", f"Take {sid} out of HA; it stays as it is.", {"name": sid}))
    if not current.has_rules and _own_name(sid) in current.placements:
        steps.append(Step("remove_group", f"Remove the group {_own_name(sid)}.", {"name": _own_name(sid)}))
    return steps
