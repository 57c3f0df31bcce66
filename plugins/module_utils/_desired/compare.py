# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared and current values: what differs, and what has to be written.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .kinds import Kind
from .property_string import PropertyString
from .schema import Schema

MASKED = "********"


@dataclass(frozen=True)
class Change:
    """One key: its texts before and after; None is "not set"."""

    key: str
    before: str | None
    after: str | None
    secret: bool = False

    @property
    def shown_before(self) -> str | None:
        return MASKED if self.secret and self.before is not None else self.before

    @property
    def shown_after(self) -> str | None:
        # An unchanged text would hide the change of a secret.
        return f"{MASKED} (new)" if self.secret and self.after is not None else self.after


def compare(
    schema: Schema, declared: Mapping[str, Any], current: Mapping[str, Any], absent: Iterable[str] = ()
) -> list[Change]:
    """The changes that make C(current) as C(declared), both in normal form; absent keys (or C(key.property)) go."""
    changes = []
    removed_parts: dict[str, dict[str, Any]] = {}
    for name in absent:
        key, dot, part = name.partition(".")
        if dot:
            removed_parts.setdefault(key, {})[part] = None
        elif key in current:
            changes.append(_change(schema, key, current[key], None))
    wanted = dict(declared)
    for key, parts in removed_parts.items():
        if key in current:
            wanted[key] = {**wanted.get(key, {}), **parts}
    for key, value in wanted.items():
        row = schema.find(key)
        if row is None:
            raise AssertionError
        there = current.get(key)
        comparable = there if not isinstance(row.kind, PropertyString) or isinstance(there, dict) else None
        if not row.kind.holds(value, comparable):
            changes.append(_change(schema, key, there, row.kind.merge(value, comparable)))
    return sorted(changes, key=lambda change: change.key)


def shown_changes(changes: Iterable[Change]) -> tuple[dict[str, str], dict[str, str]]:
    """What a diff shows of changes: the texts before and after, secrets masked."""
    changes = list(changes)
    before = {change.key: change.shown_before for change in changes if change.shown_before is not None}
    after = {change.key: change.shown_after for change in changes if change.shown_after is not None}
    return before, after


def _change(schema: Schema, key: str, before: Any, after: Any) -> Change:
    row = schema.find(key)
    if row is None:
        raise AssertionError
    return Change(key, _text(row.kind, before), _text(row.kind, after), row.secret)


def _text(kind: Kind, value: Any) -> str | None:
    if value is None:
        return None
    # A value beyond the table was kept as the text that it is.
    return value if isinstance(value, str) else str(kind.format(value))
