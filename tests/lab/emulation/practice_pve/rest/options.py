# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a command's arguments to its parameters: PVE's get_options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import ApiError
from .getopt import Option, OptionErrors, parse_options
from .parameters import Parameter
from .verification import parse_boolean

EXTRA = "extra-args"


def parse_arguments(
    parameters: Mapping[str, Parameter],
    arguments: list[str],
    positional: Sequence[str] | str,
    fixed: Mapping[str, Any],
    interactive: Mapping[str, Callable[[str | None], str]] | None = None,
) -> dict[str, Any]:
    """Return the given parameters, unverified. ``positional`` as a string: one list parameter takes all arguments.

    ``interactive`` maps a parameter (a password) to a function that is called with the given value, or with None
    when the parameter is required but was not given.
    """
    interactive = interactive or {}
    list_parameter = positional if isinstance(positional, str) else None
    options = {
        name: Option(
            value_optional=parameter.type == "boolean" or name in interactive,
            repeated=parameter.type == "array" or parameter.is_list,
        )
        for name, parameter in parameters.items()
        if name not in fixed and name != list_parameter
    }
    try:
        values, rest = parse_options(options, arguments)
    except OptionErrors:
        raise ApiError("unable to parse option\n", status=400) from None
    given: dict[str, Any] = dict(values)
    if list_parameter:
        if rest:
            given[list_parameter] = rest
    else:
        assign_positional(parameters, list(positional), rest, given)
    for name, ask in interactive.items():
        if name in parameters and (name in given or not parameters[name].optional):
            given[name] = ask(given.get(name))
    for name, value in given.items():
        if name in parameters:
            given[name] = convert_option(parameters[name], value)
    return {**given, **fixed}


def assign_positional(
    parameters: Mapping[str, Parameter], names: list[str], rest: list[str], given: dict[str, Any]
) -> None:
    """Give the arguments their names, in order; extra-args takes what is left."""
    remaining = list(rest)
    for index, name in enumerate(names):
        if name == EXTRA:
            given[EXTRA] = remaining
            remaining = []
        elif remaining:
            given[name] = remaining.pop(0)
        else:
            missing = [other for other in names[index:] if other != EXTRA]
            if any(not parameters[other].optional for other in missing):
                raise ApiError("not enough arguments\n", status=400)
            if EXTRA in names:
                given[EXTRA] = []
            break
    if remaining:
        raise ApiError("too many arguments\n", status=400)


def convert_option(parameter: Parameter, value: Any) -> Any:
    """Booleans may be words or nothing at all, lists may be given more than once."""
    if parameter.type == "boolean":
        if value == "":
            return "1"
        word = parse_boolean(value) if isinstance(value, str) else value
        if word is None:
            raise ApiError("unable to parse boolean option\n", status=400)
        return word
    if parameter.is_list and isinstance(value, list):
        return ",".join(value)
    return value
