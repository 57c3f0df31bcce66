# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as Perl's YAML::XS writes it (keys sorted, block style)."""

from __future__ import annotations

import re
from typing import Any

from .json_text import perl_number

NEEDS_QUOTES = re.compile(r"^$|^[\s&*!|>'\"%@`#\[\]{},?:-]|: |:$| #|\s$|^(true|false|null|~|yes|no)$", re.IGNORECASE)
LOOKS_NUMERIC = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_yaml(value: Any) -> str:
    """Return a whole document, marker included."""
    if isinstance(value, (dict, list, tuple)) and value:
        return "---\n" + block(value, 0)
    return f"--- {plain(value)}\n"


def block(value: Any, indent: int) -> str:
    """Return a mapping or list in block style."""
    pad = " " * indent
    text = ""
    if isinstance(value, dict):
        for key in sorted(value):
            element = value[key]
            if isinstance(element, dict) and element:
                text += f"{pad}{plain(key)}:\n" + block(element, indent + 2)
            elif isinstance(element, (list, tuple)) and element:
                text += f"{pad}{plain(key)}:\n" + block(element, indent)
            else:
                text += f"{pad}{plain(key)}: {plain(element, indent + 2)}\n"
        return text
    for element in value:
        if isinstance(element, (dict, list, tuple)) and element:
            text += f"{pad}- " + block(element, indent + 2).removeprefix(pad + "  ")
        else:
            text += f"{pad}- {plain(element, indent + 2)}\n"
    return text


def plain(value: Any, indent: int = 0) -> str:
    """Return a scalar or an empty collection."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return perl_number(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    return quoted(str(value), indent)


def quoted(text: str, indent: int) -> str:
    """Return a string, quoted where a number, a keyword or syntax could be read into it."""
    if "\n" in text:
        chomp = "" if text.endswith("\n") and not text.endswith("\n\n") else "-" if not text.endswith("\n") else "+"
        pad = " " * max(indent, 2)
        return f"|{chomp}\n" + "\n".join(pad + line if line else "" for line in text.removesuffix("\n").split("\n"))
    if LOOKS_NUMERIC.fullmatch(text) or NEEDS_QUOTES.search(text):
        return "'" + text.replace("'", "''") + "'"
    return text
