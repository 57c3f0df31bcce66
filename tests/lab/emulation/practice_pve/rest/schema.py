# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters from tables in PVE's own JSON-schema words: for the long tables of guests and storages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .parameters import Parameter

# PVE's word -> ours, where they differ
NAMES = {
    "maxLength": "max_length",
    "minLength": "min_length",
    "keyAlias": "key_alias",
}
TAKEN_AS_THEY_ARE = frozenset(Parameter.__dataclass_fields__)


def from_schema(schema: Mapping[str, Any]) -> Parameter:
    """Return the parameter that one schema describes; words this emulation has no use for are left out."""
    values: dict[str, Any] = {}
    for word, value in schema.items():
        name = NAMES.get(word, word)
        if name not in TAKEN_AS_THEY_ARE or value is None:
            continue
        if name == "enum":
            value = tuple(value)
        elif name == "items":
            value = from_schema(value)
        elif name == "properties" or (name == "format" and isinstance(value, Mapping)):
            value = from_schemas(value)
        elif name in ("optional", "default_key"):
            value = bool(value)
        values[name] = value
    return Parameter(**values)


def from_schemas(schemas: Mapping[str, Mapping[str, Any] | Parameter]) -> dict[str, Parameter]:
    """Return a whole table; entries that are parameters already stay as they are."""
    return {name: schema if isinstance(schema, Parameter) else from_schema(schema) for name, schema in schemas.items()}
