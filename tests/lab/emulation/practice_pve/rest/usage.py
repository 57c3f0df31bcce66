# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage texts of a command: the one-line form and the long ones of "help"."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .output import STANDARD_OPTIONS
from .parameters import Parameter

INDENT = " " * 13


def usage_line(
    prefix: str,
    parameters: Mapping[str, Parameter],
    positional: Sequence[str] | str,
    fixed: Collection[str],
    formatter: Mapping[str, Parameter] | None = None,
    interactive: Collection[str] = (),
) -> str:
    """Return "pvecm create <clustername> [OPTIONS]\\n" (a command without any ends in a blank, as the real one)."""
    formatter = formatter or {}
    names = [positional] if isinstance(positional, str) else list(positional)
    arguments = []
    for name in names:
        parameter = parameters.get(name)
        if parameter is None:
            continue
        if parameter.is_list:
            arguments.append(f"{{<{name}>}}")
        else:
            arguments.append(f"[<{name}>]" if parameter.optional else f"<{name}>")
    has_format = "output-format" in formatter or "output-format" in parameters
    has_options = False
    for name, parameter, base in option_rows(parameters, names, fixed, formatter):
        if name == "password" and name in interactive and not parameter.optional:
            continue
        has_options = True
        if not parameter.optional and not parameter.alias:
            arguments.append(f"--{base} <{parameter.type}>")
    text = f"{prefix} {' '.join(arguments)}"
    text += " [OPTIONS]" if has_options else ""
    text += " [FORMAT_OPTIONS]" if has_format else ""
    return text + "\n"


def option_rows(
    parameters: Mapping[str, Parameter],
    names: Sequence[str],
    fixed: Collection[str],
    formatter: Mapping[str, Parameter],
) -> list[tuple[str, Parameter, str]]:
    """Return the options to list, sorted; net0, net1 ... become one "net[n]"."""
    extra = {name: parameter for name, parameter in formatter.items() if name not in STANDARD_OPTIONS}
    everything = {**parameters, **extra}
    hide_standard = "output-format" in parameters
    rows, shown = [], set()
    for name in sorted(everything):
        if name in names or name in fixed or (hide_standard and name in STANDARD_OPTIONS):
            continue
        base = name
        found = re.fullmatch(r"([a-z]+)(\d+)", name)
        if found:
            if found[1] in shown:
                continue
            if found[2] == "0" and f"{found[1]}1" in everything:
                shown.add(found[1])
                base = f"{found[1]}[n]"
        rows.append((name, everything[name], base))
    return rows


def usage_full(
    prefix: str,
    parameters: Mapping[str, Parameter],
    positional: Sequence[str] | str,
    fixed: Collection[str],
    formatter: Mapping[str, Parameter] | None = None,
    description: str = "",
) -> str:
    """Return the usage with the description of every option."""
    names = [positional] if isinstance(positional, str) else list(positional)
    text = "USAGE: " + usage_line(prefix, parameters, positional, fixed, formatter)
    if description:
        text += "\n" + wrap(description, "  ", "  ") + "\n\n"
    for name in names:
        if name in parameters and name not in fixed and not parameters[name].alias:
            text += describe(f"<{name}>", parameters[name])
    for _name, parameter, base in option_rows(parameters, names, fixed, formatter or {}):
        text += describe(f"--{base}", parameter)
    return text


def describe(display_name: str, parameter: Parameter) -> str:
    """Return one option's paragraph."""
    default = "" if parameter.default is None else f"   (default={default_text(parameter.default)})"
    first = wrap(f"  {display_name:<10} {type_text(parameter)}{default}\n", "", INDENT)
    if parameter.alias:
        return first + "\n"
    return first + wrap(parameter.description or "no description available", INDENT, INDENT) + "\n\n"


def default_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def wrap(text: str, first: str, following: str) -> str:
    """Fill to 75 columns like Perl's Text::Wrap: a last newline stays."""
    words = text.rstrip("\n").split(" ")
    lines, current = [], first
    empty = True
    for word in words:
        if not empty and len(current) + 1 + len(word) > 75:
            lines.append(current)
            current, empty = following, True
        current += word if empty else f" {word}"
        empty = False
    lines.append(current)
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")


def type_text(parameter: Parameter) -> str:
    """Return how a value looks: "<string>", "<1 - N>", the parts of a property string."""
    if parameter.typetext:
        return parameter.typetext
    if parameter.format_description:
        return f"<{parameter.format_description}>"
    if parameter.enum:
        return f"<{' | '.join(sorted(parameter.enum))}>"
    if parameter.pattern:
        return parameter.pattern
    if parameter.alias:
        return f"<alias to '{parameter.alias}'>"
    if parameter.type in ("integer", "number") and (parameter.minimum, parameter.maximum) != (None, None):
        low = "-N" if parameter.minimum is None else f"{parameter.minimum:g}"
        high = "N" if parameter.maximum is None else str(parameter.maximum)
        return f"<{parameter.type}> ({low} - {high})"
    if parameter.format is not None and not isinstance(parameter.format, str):
        return property_string_text(parameter.format)
    return f"<{parameter.type}>"


def property_string_text(properties: Mapping[str, Parameter]) -> str:
    """Return "[address=]<IP> [,priority=<integer>]"."""
    default_key = next((key for key, parameter in properties.items() if parameter.default_key), None)
    required = [key for key in sorted(properties) if not properties[key].optional]
    text, done = "", set()
    first = [] if default_key is None else [default_key]
    for key in first + required + sorted(properties):
        parameter = properties[key]
        if key in done or parameter.alias:
            continue
        done.add(key)
        value = property_value_text(parameter)
        part = f"[{key}=]{value}" if key == default_key else f"{key}={value}"
        part = f",{part}" if text else part
        text += (" " if text else "") + (f"[{part}]" if parameter.optional else part)
    return text


def property_value_text(parameter: Parameter) -> str:
    """Return the value part of one key."""
    if parameter.format_description:
        return f"<{parameter.format_description}>"
    if parameter.typetext:
        return parameter.typetext
    if parameter.enum:
        return f"<{'|'.join(parameter.enum)}>" if len(parameter.enum) <= 3 else "<enum>"
    return "<1|0>" if parameter.type == "boolean" else f"<{parameter.type}>"
