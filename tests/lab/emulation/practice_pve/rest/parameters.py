# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter types of a method. The names follow PVE's schema; the checks with PVE's texts are in verification.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One property of a method's parameters (or of its result, or of a property string)."""

    type: str = "string"
    optional: bool = False
    format: str | Mapping[str, Parameter] | None = None
    pattern: str | None = None
    max_length: int | None = None
    min_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[str, ...] | None = None
    items: Parameter | None = None
    properties: Mapping[str, Parameter] | None = None
    requires: str | None = None
    alias: str | None = None
    key_alias: str | None = None
    default_key: bool = False
    default: Any = None
    description: str | None = None
    typetext: str | None = None
    format_description: str | None = None
    # only for results: how the text output shows a column
    title: str | None = None
    renderer: str | None = None
    print_width: int | None = None

    @property
    def is_list(self) -> bool:
        """True for the "-list" formats, which take several values on the command line and a comma list elsewhere."""
        return isinstance(self.format, str) and "-list" in self.format


@dataclass(frozen=True, kw_only=True)
class Text(Parameter):
    """A string."""


@dataclass(frozen=True, kw_only=True)
class Integer(Parameter):
    """A whole number; call.params holds an int."""

    type: str = "integer"


@dataclass(frozen=True, kw_only=True)
class Number(Parameter):
    """A number; call.params holds an int or a float."""

    type: str = "number"


@dataclass(frozen=True, kw_only=True)
class Boolean(Parameter):
    """0 or 1; call.params holds a bool."""

    type: str = "boolean"


@dataclass(frozen=True, kw_only=True)
class Array(Parameter):
    """A list; ``items`` describes the elements."""

    type: str = "array"


@dataclass(frozen=True, kw_only=True)
class Object(Parameter):
    """A mapping; ``properties`` describes the keys."""

    type: str = "object"


@dataclass(frozen=True, kw_only=True)
class Null(Parameter):
    """The result of a method that returns nothing."""

    type: str = "null"


def Enum(*values: str, **rest: Any) -> Text:
    """Return a string parameter limited to ``values``."""
    return Text(enum=tuple(values), **rest)


def PropertyString(properties: Mapping[str, Parameter], **rest: Any) -> Text:
    """Return a "key=value,key=value" parameter; one of the properties may be the default key."""
    return Text(format=dict(properties), **rest)


def indexed(name: str, first: int, last: int, parameter: Parameter) -> dict[str, Parameter]:
    """Return name0, name1 ...: PVE's link[n], net[n] and the like."""
    return {f"{name}{number}": parameter for number in range(first, last + 1)}


def optional(parameter: Parameter) -> Parameter:
    """Return the same parameter, not required."""
    return replace(parameter, optional=True)


NODE = Text(format="pve-node", description="The cluster node name.")
VMID = Integer(format="pve-vmid", minimum=100, maximum=999_999_999, description="The (unique) ID of the VM.")
STORAGE_ID = Text(format="pve-storage-id", format_description="storage ID", description="The storage identifier.")
SNAPSHOT_NAME = Text(format="pve-configid", max_length=40, description="The name of the snapshot.")
FINGERPRINT_SHA256 = Text(pattern="([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}", description="Certificate SHA 256 fingerprint.")
CONFIG_DIGEST = Text(
    optional=True,
    max_length=64,
    description="Prevent changes if current configuration file has a different digest. This can be used to prevent "
    "concurrent modifications.",
)
EXTRA_ARGS = Array(items=Text(), optional=True, description="Extra arguments as array")
