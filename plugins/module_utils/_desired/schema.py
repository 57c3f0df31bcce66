# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys an object has: a table of them, families such as C(net0) to C(net31) as one row.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidValue
from .kinds import Kind

#: What a change of a key needs until it works: nothing, or a full stop and start; or it is settled when the object is made.
LIVE, RESTART, CREATION = "live", "restart", "creation"


@dataclass(frozen=True)
class Key:
    name: str
    kind: Kind = field(default_factory=Kind)
    #: How many there are; 0 for a key without a number.
    count: int = 0
    effect: str = RESTART
    secret: bool = False
    root_only: bool = False
    #: Changing it on a guest with cloud-init makes the guest run its first boot again.
    first_boot: bool = False

    def covers(self, name: str) -> bool:
        if not self.count:
            return name == self.name
        matched = re.fullmatch(re.escape(self.name) + r"(0|[1-9]\d*)", name)
        return bool(matched) and int(matched[1]) < self.count if matched else False


@dataclass(frozen=True)
class Schema:
    """The rows by name, those of families with C([n]) behind it: C(numa) and C(numa0) are two keys."""

    rows: Mapping[str, Key]
    #: Other names under which a person may write a key.
    spellings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Key], spellings: Mapping[str, str] | None = None) -> Schema:
        return cls({f"{row.name}[n]" if row.count else row.name: row for row in rows}, spellings or {})

    def find(self, name: str) -> Key | None:
        row = self.rows.get(name)
        if row:
            return None if row.count else row
        family = self.family(name)
        return family if family and family.covers(name) else None

    def family(self, name: str) -> Key | None:
        """The row of C(net) for C(net), C(net0), C(net99)."""
        return self.rows.get(re.sub(r"\d+$", "", name) + "[n]")

    def canonical(self, name: str) -> str:
        """The key's own name; raises InvalidValue for one that does not exist."""
        for candidate in (name, self.spellings.get(name, name), name.replace("_", "-")):
            if self.find(candidate):
                return candidate
        known = [*(row.name if not row.count else f"{row.name}0" for row in self.rows.values()), *self.spellings]
        close = difflib.get_close_matches(name, known, n=3)
        family = self.family(name)
        if family:
            reason = f"there are only {family.name}0 to {family.name}{family.count - 1}"
        else:
            reason = "there is no such key" + (f"; did you mean {' or '.join(close)}?" if close else "")
        raise InvalidValue(reason, name)

    def parse(self, name: str, value: Any) -> Any:
        row = self.find(name)
        if row is None:
            raise InvalidValue("there is no such key", name)
        try:
            return row.kind.parse(value)
        except InvalidValue as error:
            raise error.below(name) from error

    def parse_all(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """The declared keys in their normal form; a null is the same as leaving the key out."""
        parsed: dict[str, Any] = {}
        for name, value in declared.items():
            if value is None:
                continue
            key = self.canonical(str(name))
            if key in parsed:
                raise InvalidValue(f"it is given twice, also as {name}", key)
            parsed[key] = self.parse(key, value)
        return parsed

    def parse_current(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """What Proxmox VE answered, in its normal form; a value that is beyond the table stays as text."""
        parsed = {}
        for name, value in config.items():
            row = self.find(name)
            if row is None or value is None:
                continue
            try:
                parsed[name] = row.kind.parse(value)
            except InvalidValue:
                # Newer releases know values that this table does not; a declared value then simply differs.
                parsed[name] = str(value)
        return parsed
