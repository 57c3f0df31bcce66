# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of Perl's Getopt::Long as PVE uses it: abbreviations, any case, options and arguments mixed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """``value_optional``: ":s" (booleans), ``repeated``: "@" (lists)."""

    value_optional: bool = False
    repeated: bool = False


class OptionErrors(Exception):
    """At least one option could not be parsed; the reasons have been printed to stderr."""


def parse_options(options: Mapping[str, Option], arguments: list[str]) -> tuple[dict[str, str | list[str]], list[str]]:
    """Return option values and the remaining arguments. Complains on stderr like Perl and raises OptionErrors."""
    by_lower_name = {name.lower(): name for name in options}
    values: dict[str, str | list[str]] = {}
    rest: list[str] = []
    pending = list(arguments)
    failed = False
    while pending:
        word = pending.pop(0)
        if word == "--":
            rest += pending
            break
        text = word[2:] if word.startswith("--") else word[1:] if word.startswith("-") else ""
        if not text:
            rest.append(word)
            continue
        typed, equals, value = text.partition("=")
        name = find_name(by_lower_name, typed)
        if name is None:
            failed = True
            continue
        option = options[name]
        if (equals and not value) or (not equals and not pending):
            if not option.value_optional:
                print(f"Option {typed} requires an argument", file=sys.stderr)
                failed = True
                continue
            value = ""
        elif not equals:
            following = pending[0]
            looks_like_option = following.startswith("-") and following not in ("-",)
            value = "" if option.value_optional and looks_like_option else pending.pop(0)
        if option.repeated:
            values.setdefault(name, []).append(value)  # type: ignore[union-attr]
        else:
            values[name] = value
    if failed:
        raise OptionErrors
    return values, rest


def find_name(by_lower_name: Mapping[str, str], typed: str) -> str | None:
    """Return the option's full name; None after a complaint."""
    exact = by_lower_name.get(typed.lower())
    if exact is not None:
        return exact
    hits = sorted(lowered for lowered in by_lower_name if lowered.startswith(typed.lower()))
    if len(hits) == 1:
        return by_lower_name[hits[0]]
    if hits:
        print(f"Option {typed} is ambiguous ({', '.join(hits)})", file=sys.stderr)
    else:
        print(f"Unknown option: {typed}", file=sys.stderr)
    return None
