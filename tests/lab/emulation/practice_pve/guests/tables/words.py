# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words the option tables are written in: short constructors of parameters, all optional unless said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from practice_pve.rest.parameters import Boolean, Integer, Number, Parameter, Text

Options = dict[str, Parameter]


def text(**more: Any) -> Parameter:
    """A string."""
    return Text(**{"optional": True, **more})


def flag(default: int | None = None, **more: Any) -> Parameter:
    """A boolean."""
    return Boolean(**{"optional": True, "default": default, **more})


def integer(minimum: int | None = None, maximum: int | None = None, **more: Any) -> Parameter:
    """A whole number within limits."""
    return Integer(**{"optional": True, "minimum": minimum, "maximum": maximum, **more})


def number(minimum: int | None = None, maximum: int | None = None, **more: Any) -> Parameter:
    """A number with decimals within limits."""
    return Number(**{"optional": True, "minimum": minimum, "maximum": maximum, **more})


def choice(*values: str, **more: Any) -> Parameter:
    """One word out of a list."""
    return Text(**{"optional": True, "enum": values, **more})


def properties(sub_options: Mapping[str, Parameter], **more: Any) -> Parameter:
    """A property string such as `virtio=BC:24:11:00:00:01,bridge=vmbr0`."""
    return Text(**{"optional": True, "format": sub_options, **more})


def alias(name: str, key_alias: str | None = None) -> Parameter:
    """Another name for the sub-option `name`; with key_alias the name itself is the value of a second sub-option."""
    return Text(alias=name, key_alias=key_alias, optional=True)


def family(name: str, count: int, parameter: Parameter) -> Options:
    """Numbered options: `family("net", 32, ...)` gives net0 to net31."""
    return {f"{name}{index}": parameter for index in range(count)}
