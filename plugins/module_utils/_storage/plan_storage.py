# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that makes a storage as it is declared.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._desired.compare import MASKED, Change, compare
from .._plan import Plan, Step
from .errors import StorageError
from .tables import FIXED, STORAGE, TYPES, UNREADABLE
from .wish import StorageWish


@dataclass(frozen=True)
class Definition:
    """A storage as it is defined now: C(config) is the API's answer."""

    name: str
    type: str
    config: Mapping[str, Any]

    @property
    def keys(self) -> dict[str, Any]:
        return STORAGE.parse_current(self.config)

    @property
    def digest(self) -> str | None:
        return self.config.get("digest")

    def shown(self) -> dict[str, Any]:
        """The words of a diff."""
        values = {key: str(value) for key, value in self.config.items() if key not in ("storage", "type", "digest")}
        return {"type": self.type, **{key: MASKED if key in UNREADABLE else values[key] for key in sorted(values)}}


def plan_storage(wish: StorageWish, current: Definition | None, uses: Sequence[str] = ()) -> Plan:
    """C(uses) says who needs the storage; only asked for when it is to go."""
    if wish.state == "absent":
        return _plan_absence(wish, current, uses)
    return _plan_creation(wish) if current is None else _plan_change(wish, current)


def nodes_to_ask(wish: StorageWish, current: Definition | None, online: Sequence[str]) -> list[str]:
    """The nodes that shall use the storage and do not yet: they have to reach it before anything is written."""
    if wish.state == "absent" or wish.keys.get("disable"):
        return []
    before = current.keys if current is not None else {}
    limit = wish.keys.get("nodes", () if "nodes" in wish.absent_keys else before.get("nodes") or ())
    after = set(limit) or set(online)
    used = set() if current is None or before.get("disable") else set(before.get("nodes") or online)
    return sorted(after - used)


def _plan_absence(wish: StorageWish, current: Definition | None, uses: Sequence[str]) -> Plan:
    if current is None:
        return Plan()
    if uses and wish.in_use == "refuse":
        raise StorageError(
            f"The storage {wish.name} is in use: {'; '.join(uses)}.",
            "Move what is there first, or let in_use be 'ignore': the definition goes, files and volumes stay.",
        )
    warnings = tuple(f"The storage {wish.name} goes although it is in use: {use}." for use in uses)
    step = Step("remove", f"Remove the definition of storage {wish.name}; what it holds stays.")
    return Plan((step,), current.shown(), {}, warnings)


def _plan_creation(wish: StorageWish) -> Plan:
    if wish.type is None:
        raise StorageError(f"There is no storage {wish.name} yet.", f"Say its type: {', '.join(sorted(TYPES))}.")
    missing = sorted(TYPES[wish.type].required - set(wish.keys))
    if missing:
        raise StorageError(f"A storage of type {wish.type} needs {', '.join(missing)} as well.")
    texts = {change.key: change for change in compare(STORAGE, wish.keys, {})}
    # An empty text means "as without it": no limit of nodes, for example.
    written = {key: change.after for key, change in texts.items() if change.after}
    summary = f"Define storage {wish.name} ({wish.type})."
    after = {"type": wish.type, **{key: texts[key].shown_after for key in sorted(written)}}
    return Plan((Step("create", summary, {"values": {"type": wish.type, **written}}),), {}, after)


def _plan_change(wish: StorageWish, current: Definition) -> Plan:
    if wish.type is not None and wish.type != current.type:
        raise StorageError(
            f"The storage {wish.name} is of type {current.type}, not {wish.type}.",
            "Choose another name, or remove it first (state: absent).",
        )
    for key in (*wish.keys, *wish.absent_keys):
        if key not in TYPES[current.type].keys:
            raise StorageError(f"{key}: a storage of type {current.type} has no such key.")
    declared = {
        key: value for key, value in wish.keys.items() if key not in UNREADABLE or wish.update_password == "always"
    }
    changes = compare(STORAGE, declared, current.keys, wish.absent_keys)
    _refuse_fixed(wish, current, changes)
    if not changes:
        return Plan((), current.shown(), current.shown())
    written = {change.key: change.after for change in changes if change.after}
    deleted = sorted(change.key for change in changes if not change.after)
    before, after = current.shown(), current.shown()
    for change in changes:
        after.pop(change.key, None)
        if change.after:
            after[change.key] = change.shown_after
    summary = f"Set {', '.join(change.key for change in changes)} of storage {wish.name}."
    values = {**written, **({"delete": ",".join(deleted)} if deleted else {}), "digest": current.digest}
    return Plan((Step("change", summary, {"values": values}),), before, dict(sorted(after.items())))


def _refuse_fixed(wish: StorageWish, current: Definition, changes: Sequence[Change]) -> None:
    for change in changes:
        if change.key in FIXED or change.key in TYPES[current.type].required:
            raise StorageError(
                f"{change.key} of storage {wish.name} is {change.before} and cannot become {change.after}: "
                "Proxmox VE never changes it.",
                "Define a storage of another name, or remove this one first (state: absent).",
            )
