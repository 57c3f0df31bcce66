# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON as Perl's to_json writes it."""

from __future__ import annotations

import json
from typing import Any


def perl_number(value: float) -> str:
    """Return a float as Perl prints it (15 significant digits, no trailing .0)."""
    return f"{value:.15g}"


def to_json(value: Any, *, sort_keys: bool = True) -> str:
    """Return compact JSON; sorted ("canonical") as on the command line, unsorted over HTTP."""
    if isinstance(value, dict):
        keys = sorted(value) if sort_keys else value
        parts = (f"{quote(str(key))}:{to_json(value[key], sort_keys=sort_keys)}" for key in keys)
        return "{" + ",".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(to_json(element, sort_keys=sort_keys) for element in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a JSON scalar."""
    if isinstance(value, float):
        return perl_number(value)
    return json.dumps(value, ensure_ascii=False)


def quote(text: str) -> str:
    """Return a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def to_json_pretty(value: Any, indent: int = 0) -> str:
    """Return Perl's pretty JSON: three spaces, "key" : value, sorted."""
    inner, outer = "   " * (indent + 1), "   " * indent
    if isinstance(value, dict):
        if not value:
            return "{}"
        parts = (f"{inner}{quote(str(key))} : {to_json_pretty(value[key], indent + 1)}" for key in sorted(value))
        return "{\n" + ",\n".join(parts) + f"\n{outer}" + "}"
    if isinstance(value, (list, tuple)):
        if not value:
            return "[]"
        parts = (inner + to_json_pretty(element, indent + 1) for element in value)
        return "[\n" + ",\n".join(parts) + f"\n{outer}]"
    return scalar(value)
