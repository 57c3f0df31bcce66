# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property strings, C(virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1), as a kind.

This file is private to the collection and may change without notice.

A person may write the string or a dictionary. Only the named properties are owned: those not named stay as they are,
one named with nothing (null or an empty text) is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidValue
from .kinds import Kind, Text, demand_scalar, show

#: The normal form of a property that shall not be there.
REMOVED = None


@dataclass(frozen=True)
class PropertyString(Kind):
    """The properties with a kind of their own are in the table; any other is text that Proxmox VE itself judges."""

    properties: Mapping[str, Kind] = field(default_factory=dict)
    default_key: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: Properties whose name is the value of another one: C(virtio=MAC) is model=virtio and macaddr=MAC.
    key_aliases: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Written first, in this order; the others follow sorted.
    first: tuple[str, ...] = ()
    closed: bool = False

    def parse(self, value: Any) -> dict[str, Any]:
        pairs = list(value.items()) if isinstance(value, Mapping) else self._split(demand_scalar(value))
        parsed: dict[str, Any] = {}
        for name, raw in pairs:
            for key, part in self._resolve(str(name), raw):
                if key in parsed and parsed[key] != part:
                    raise InvalidValue("it is given twice", key)
                parsed[key] = part
        return parsed

    def _split(self, text: str) -> list[tuple[str, str]]:
        pairs = []
        for part in text.split(",") if text else []:
            name, equals, raw = part.partition("=")
            if equals:
                pairs.append((name.strip(), raw))
            elif self.default_key:
                pairs.append((self.default_key, part))
            else:
                raise InvalidValue(f"'{show(part)}' is not of the form name=value")
        return pairs

    def _resolve(self, name: str, raw: Any) -> list[tuple[str, Any]]:
        if name in self.key_aliases:
            of_name, of_value = self.key_aliases[name]
            return [(of_name, name), (of_value, self._value(of_value, raw))]
        # Ansible writes names with underscores where some of Proxmox VE's have dashes.
        for candidate in (name, name.replace("_", "-")):
            key = self.aliases.get(candidate, candidate)
            if key in self.properties:
                return [(key, self._value(key, raw))]
        if self.closed:
            raise InvalidValue(f"there is no such property; there are {', '.join(sorted(self.properties))}", name)
        return [(name, self._value(name, raw))]

    def _value(self, key: str, raw: Any) -> Any:
        if raw is None or raw == "":
            return REMOVED
        if isinstance(raw, (list, tuple)):
            raw = ";".join(str(part) for part in raw)
        try:
            return self.properties.get(key, Text()).parse(raw)
        except InvalidValue as error:
            raise error.below(key) from error

    def format(self, value: Any) -> str:
        present = {key: part for key, part in value.items() if part is not REMOVED}
        order = [key for key in (*self.first, self.default_key) if key in present]
        order = list(dict.fromkeys(order)) + sorted(set(present) - set(order))
        parts = []
        merged_away = {of_value for _of_name, of_value in self.key_aliases.values()}
        for key in order:
            text = self.properties.get(key, Text()).format(present[key])
            if text in self.key_aliases and self.key_aliases[text][0] == key:
                companion = present.get(self.key_aliases[text][1])
                parts.append(f"{text}={companion}" if companion else text)
            elif key in merged_away:
                continue
            else:
                parts.append(text if key == self.default_key else f"{key}={text}")
        return ",".join(parts)

    def merge(self, wanted: Any, current: Any) -> Any:
        return {key: part for key, part in {**(current or {}), **wanted}.items() if part is not REMOVED}

    def holds(self, wanted: Any, current: Any) -> bool:
        return not self.differences(wanted, current)

    def differences(self, wanted: Any, current: Any) -> list[str]:
        """The names of the declared properties that are not as declared."""
        there = current or {}
        different = []
        for key, part in wanted.items():
            kind = self.properties.get(key, Text())
            if part is REMOVED:
                if there.get(key) is not None:
                    different.append(key)
            elif not kind.holds(part, there.get(key)):
                different.append(key)
        return different
