# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results on the command line: text tables, json, json-pretty, yaml (CLIFormatter)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .json_text import to_json, to_json_pretty
from .parameters import Boolean, Parameter, Text
from .renderers import render
from .yaml_text import to_yaml

STANDARD_OPTIONS: dict[str, Parameter] = {
    "output-format": Text(
        enum=("text", "json", "json-pretty", "yaml"), optional=True, default="text", description="Output format."
    ),
    "noheader": Boolean(optional=True, default=0, description="Do not show column headers (for 'text' format)."),
    "noborder": Boolean(optional=True, default=0, description="Do not draw borders (for 'text' format)."),
    "quiet": Boolean(optional=True, description="Suppress printing results."),
    "human-readable": Boolean(
        optional=True, default=1, description="Call output rendering functions to produce human readable text."
    ),
}

# corner and line characters: left, fill, junction, right
UNICODE_BORDERS = {"top": "┌─┬┐", "header": "╞═╪╡", "middle": "├─┼┤", "bottom": "└─┴┘", "line": "│"}
ASCII_BORDERS = {"top": "+-++", "header": "+=++", "middle": "+-++", "bottom": "+-++", "line": "|"}


def print_result(
    data: Any,
    returns: Parameter | None,
    options: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
) -> None:
    """Print a method's result as PVE's print_api_result does. ``columns`` limits and orders the text output."""
    options = dict(options or {})
    if options.get("quiet"):
        return
    returns = returns or guess_schema(data)
    if returns.type == "null" or (returns.optional and data is None):
        return
    output_format = options.get("output-format") or "text"
    if output_format == "yaml":
        sys.stdout.write(to_yaml(data))
    elif output_format == "json":
        sys.stdout.write(to_json(data) + "\n")
    elif output_format == "json-pretty":
        sys.stdout.write(to_json_pretty(data) + "\n")
    elif returns.type == "object":
        print_object(data, returns, options, columns)
    elif returns.type == "array":
        print_array(data, returns, options, columns)
    else:
        sys.stdout.write(f"{data_to_text(data, Text(), {**options, 'human-readable': 0})}\n")


def print_plain_result(
    data: Any,
    returns: Parameter | None,
    options: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
) -> None:
    """Print without borders and header unless asked for."""
    print_result(data, returns, {"noheader": True, "noborder": True, "wide": True, **(options or {})}, columns)


def guess_schema(data: Any) -> Parameter:
    """Return a schema for a method that does not declare its result."""
    kind = "null" if data is None else "object" if isinstance(data, dict) else "array" if isinstance(data, list) else ""
    items = guess_schema(data[0]) if kind == "array" and data else None
    return Parameter(type=kind or "string", items=items)


def visible_columns(properties: Mapping[str, Parameter] | None) -> list[str]:
    """Return the required properties, then the optional ones, each sorted."""
    properties = properties or {}
    required = sorted(key for key, parameter in properties.items() if not parameter.optional)
    return required + sorted(key for key, parameter in properties.items() if parameter.optional)


def print_object(
    data: Mapping[str, Any], returns: Parameter, options: Mapping[str, Any], columns: Sequence[str] | None
) -> None:
    """Print a mapping as a key/value table."""
    properties = returns.properties or {}
    keys = list(columns or visible_columns(properties) or sorted(data))
    rows = [
        {"key": key, "value": data_to_text(data[key], properties.get(key), options)}
        for key in keys
        if data.get(key) is not None
    ]
    print_table(rows, {}, ["key", "value"], options)


def print_array(data: list[Any], returns: Parameter, options: Mapping[str, Any], columns: Sequence[str] | None) -> None:
    """Print a list of mappings as a table, or a list of scalars as one column."""
    if not data:
        return
    if returns.items is not None and returns.items.type == "object":
        properties = returns.items.properties or {}
        names = list(columns or visible_columns(properties) or sorted({key for row in data for key in row}))
        print_table(data, properties, names, options)
    else:
        rows = [{"value": value} for value in data]
        print_table(rows, {"value": returns.items or Text()}, ["value"], {**options, "noheader": True})


def data_to_text(data: Any, parameter: Parameter | None, options: Mapping[str, Any]) -> str:
    """Return a cell."""
    if data is None:
        return ""
    human_readable = options.get("human-readable")
    if (human_readable is None or human_readable) and parameter is not None:
        if parameter.type == "boolean":
            return "1" if data and data != "0" else "0"
        if parameter.renderer:
            return render(parameter.renderer, data)
    if isinstance(data, (dict, list, bool, float)):
        return to_json(data)
    return str(data)


def sort_rows(rows: list[Any], properties: Mapping[str, Parameter], key: str) -> list[Any]:
    """Sort by a column, missing values first."""
    numeric = properties.get(key, Text()).type in ("integer", "number")

    def sort_value(row: Mapping[str, Any]) -> tuple[bool, Any]:
        value = row.get(key)
        if value is None:
            return (False, 0 if numeric else "")
        return (True, float(value) if numeric else data_to_text(value, None, {}))

    return sorted(rows, key=sort_value)


def print_table(
    rows: list[Any], properties: Mapping[str, Parameter], columns: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Print rows with PVE's borders; a terminal cuts the lines to its width."""
    sort_key = options.get("sort_key", columns[0])
    if sort_key:
        rows = sort_rows(rows, properties, sort_key)
    cells = [
        [data_to_text(row.get(name), properties.get(name), options).rstrip("\n").split("\n") for name in columns]
        for row in rows
    ]
    titles = [properties.get(name, Text()).title or name for name in columns]
    widths = []
    for number, name in enumerate(columns):
        parameter = properties.get(name, Text())
        longest = max([len(titles[number])] + [len(line) for row in cells for line in row[number]])
        limit = parameter.print_width or parameter.max_length
        widths.append(min(longest, limit) if limit else longest)
    aligned_right = [properties.get(name, Text()).type in ("integer", "number") for name in columns]
    write_table(cells, titles, widths, aligned_right, options)


def write_table(
    cells: list[list[list[str]]],
    titles: list[str],
    widths: list[int],
    aligned_right: list[bool],
    options: Mapping[str, Any],
) -> None:
    """Write the finished cells."""
    show_border, show_header = not options.get("noborder"), not options.get("noheader")
    borders = UNICODE_BORDERS if uses_unicode() else ASCII_BORDERS
    terminal_width = 0
    if sys.stdout.isatty() and not options.get("wide"):
        terminal_width = os.get_terminal_size(sys.stdout.fileno()).columns

    def write(line: str) -> None:
        sys.stdout.write((line[:terminal_width] if terminal_width else line) + "\n")

    def rule(kind: str) -> None:
        left, fill, junction, right = tuple(borders[kind])
        write(left + junction.join(fill * (width + 2) for width in widths) + right)

    def row(values: list[str]) -> None:
        last = len(values) - 1
        padded = []
        for number, value in enumerate(values):
            if not show_border and number == last:
                padded.append(value)
            else:
                width = widths[number]
                padded.append(value.rjust(width) if aligned_right[number] else value.ljust(width))
        line = borders["line"]
        write(f"{line} " + f" {line} ".join(padded) + f" {line}" if show_border else " ".join(padded))

    if show_border:
        rule("top")
    if show_header:
        row(titles)
    separator = "header" if show_header else "middle"
    for index, cell_row in enumerate(cells):
        if show_border and (index or show_header):
            rule(separator)
            separator = "middle"
        for line_number in range(max(1, *(len(lines) for lines in cell_row))):
            row(
                [
                    (lines[line_number] if line_number < len(lines) else "")[: widths[number]]
                    for number, lines in enumerate(cell_row)
                ]
            )
    if show_border:
        rule("bottom")


def uses_unicode() -> bool:
    """True when the caller's locale is UTF-8, as langinfo(CODESET) says in the real program."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    return locale.upper().replace("-", "").endswith("UTF8")
