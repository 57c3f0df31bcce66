# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter verification with PVE's texts and order of checks (JSONSchema's check_prop), and property strings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import ParameterErrors
from .formats import FormatError, check_format
from .parameters import Parameter

UNKNOWN_PROPERTY = "property is not defined in schema and the schema does not allow additional properties"
NUMBER = re.compile(r"[+-]?(\d+\.\d+|\d+\.|\.\d+|\d+)([eE][+-]?\d+)?")
INTEGER = re.compile(r"[+-]?\d+")
PERL_REFERENCES = ((dict, "HASH"), (list, "ARRAY"))


def verify(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Check ``given`` (strings, or what a JSON body holds) and return the converted values, or raise ParameterErrors."""
    values = normalise(parameters, given)
    errors: dict[str, str] = {}
    check_object("", parameters, values, errors)
    if errors:
        raise ParameterErrors(errors)
    return {
        key: convert(parameters[key], value) for key, value in values.items() if value is not None and key in parameters
    }


def normalise(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Bring form values to the schema's shape: a list for "-list" strings is joined, a lone value for an array wrapped."""
    values = {}
    for key, value in given.items():
        parameter = parameters.get(key)
        if parameter and value:
            if isinstance(value, list) and parameter.type == "string" and parameter.is_list:
                value = ",".join(map(perl_text, value))
            elif not isinstance(value, (list, dict)) and parameter.type == "array":
                value = [value]
        values[key] = value
    return values


def perl_text(value: Any) -> str:
    """Return a JSON value as the string that Perl would see."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def add_error(errors: dict[str, str], path: str, message: str) -> None:
    path = path or "_root"
    # a literal backslash n, as the real one joins them
    errors[path] = f"{errors[path]}\\n{message}" if path in errors else message


def check_object(
    path: str, parameters: Mapping[str, Parameter], values: dict[str, Any], errors: dict[str, str]
) -> None:
    """Check every property of ``values``; aliases are renamed to their target in place."""
    prefix = f"{path}." if path else ""
    for key in list(values):
        alias = parameters[key].alias if key in parameters else None
        if alias:
            if values.get(alias) is not None:
                add_error(errors, prefix + key, f"cannot set both '{key}' and its alias target '{alias}'")
            else:
                values[alias] = values.pop(key)
    for key, parameter in parameters.items():
        check_property(values.get(key), parameter, prefix + key, errors)
    for key in values:
        if key not in parameters:
            add_error(errors, prefix + key, UNKNOWN_PROPERTY)
        elif (required := parameters[key].requires) and values.get(required) is None:
            add_error(errors, prefix + required, f"missing property required by '{prefix}{key}'")


def check_property(value: Any, parameter: Parameter, path: str, errors: dict[str, str]) -> None:
    """Check one value; the first failing check is the one reported."""
    if parameter.alias:
        return
    if value is None:
        if parameter.type != "null" and not parameter.optional:
            add_error(errors, path, "property is missing and it is not optional")
        return
    problem = type_problem(parameter.type, value)
    if problem:
        add_error(errors, path, problem)
    elif isinstance(value, list):
        if parameter.items:
            for index, element in enumerate(value):
                check_property(element, parameter.items, f"{path}[{index}]", errors)
    elif isinstance(value, dict):
        if parameter.properties is not None:
            check_object(path, parameter.properties, value, errors)
    else:
        problem = scalar_problem(perl_text(value), parameter, path)
        if problem:
            add_error(errors, path, problem)


def type_problem(expected: str, value: Any) -> str | None:
    """Return PVE's complaint when ``value`` is not of the type."""
    if expected == "any":
        return None
    reference = next((name for kind, name in PERL_REFERENCES if isinstance(value, kind)), None)
    if expected == "array":
        return None if reference == "ARRAY" else "type check ('array') failed"
    if expected == "object":
        return None if reference == "HASH" else "type check ('object') failed"
    if isinstance(value, bool):
        # a JSON boolean is an object in Perl: only good for a boolean
        return None if expected == "boolean" else f"type check ('{expected}') failed - got JSON::PP::Boolean"
    if reference:
        return f"type check ('{expected}') failed - got {reference}"
    text = perl_text(value)
    good = {
        "boolean": text in ("0", "1"),
        "integer": INTEGER.fullmatch(text.removesuffix("\n")) is not None,
        "number": NUMBER.fullmatch(text.removesuffix("\n")) is not None,
    }.get(expected, True)
    return None if good else f"type check ('{expected}') failed - got '{text}'"


def scalar_problem(text: str, parameter: Parameter, path: str) -> str | None:
    """Return the first of PVE's complaints about a string or number."""
    if parameter.format is not None:
        try:
            if isinstance(parameter.format, str):
                check_format(parameter.format, text)
            else:
                parse_property_string(parameter.format, text, path)
        except FormatError as error:
            return f"invalid format - {error}\n"
    if parameter.pattern is not None and not re.fullmatch(f"(?:{parameter.pattern})\n?", text):
        return "value does not match the regex pattern"
    if parameter.max_length is not None and len(text) > parameter.max_length:
        return f"value may only be {parameter.max_length} characters long"
    if parameter.min_length is not None and len(text) < parameter.min_length:
        return f"value must be at least {parameter.min_length} characters long"
    if NUMBER.fullmatch(text):
        if parameter.maximum is not None and float(text) > parameter.maximum:
            return f"value must have a maximum value of {parameter.maximum}"
        if parameter.minimum is not None and float(text) < parameter.minimum:
            return f"value must have a minimum value of {parameter.minimum}"
    if parameter.enum is not None and text not in parameter.enum:
        return f"value '{text}' does not have a value in the enumeration '{', '.join(parameter.enum)}'"
    return None


def convert(parameter: Parameter, value: Any) -> Any:
    """Return a verified value as its Python type."""
    if isinstance(value, (list, dict)):
        return value
    text = perl_text(value)
    if parameter.type == "boolean":
        return text == "1"
    if parameter.type == "integer":
        return int(text)
    if parameter.type == "number":
        return int(text) if INTEGER.fullmatch(text) else float(text)
    return text


def parse_boolean(text: str) -> str | None:
    """Return "1" or "0" for the words PVE takes in property strings and on the command line."""
    lowered = text.lower()
    if lowered in ("1", "on", "yes", "true"):
        return "1"
    return "0" if lowered in ("0", "off", "no", "false") else None


def parse_property_string(properties: Mapping[str, Parameter], text: str, path: str = "") -> dict[str, Any]:
    """Return the parts of "value,key=value,..." or raise FormatError with PVE's text (a failed check names each key)."""
    result: dict[str, Any] = {}
    default_seen: str | None = None
    for part in text.split(","):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if equals and key and value:
            add_named_part(properties, result, key, value)
        elif not equals:
            default_seen = add_default_part(properties, result, part, default_seen)
        else:
            raise FormatError("missing key in comma-separated list property")
    errors: dict[str, str] = {}
    check_object(path, properties, result, errors)
    if errors:
        raise FormatError("format error\n" + "\n".join(f"{key}: {message}" for key, message in errors.items()))
    return {key: convert(properties[key], value) for key, value in result.items()}


def add_named_part(properties: Mapping[str, Parameter], result: dict[str, Any], key: str, value: str) -> None:
    """Store one key=value of a property string, following aliases."""
    if key in result:
        raise FormatError(f"duplicate key in comma-separated list property: {key}")
    parameter = properties.get(key)
    if parameter and parameter.alias:
        if parameter.key_alias:
            if parameter.key_alias in result:
                raise FormatError(f"key alias '{parameter.key_alias}' is already defined")
            result[parameter.key_alias] = key
        key = parameter.alias
        parameter = properties.get(key)
        if key in result:
            raise FormatError(f"key '{key}' is already defined (via alias)")
    if not parameter:
        raise FormatError(f"invalid key in comma-separated list property: {key}")
    result[key] = (parse_boolean(value) or value) if parameter.type == "boolean" else value


def add_default_part(
    properties: Mapping[str, Parameter], result: dict[str, Any], value: str, default_seen: str | None
) -> str:
    """Store a part without a key; returns the default key's name."""
    if default_seen:
        raise FormatError(f"duplicate key in comma-separated list property: {default_seen}")
    for key, parameter in properties.items():
        if parameter.default_key:
            if result.get(key):
                raise FormatError(f"duplicate key in comma-separated list property: {key}")
            result[key] = (parse_boolean(value) or value) if parameter.type == "boolean" else value
            return key
    raise FormatError("value without key, but schema does not define a default key")


def print_property_string(
    properties: Mapping[str, Parameter], values: Mapping[str, Any], skip: tuple[str, ...] = ()
) -> str:
    """Return the text of a property string: default key, required keys, then the rest, each sorted."""
    default_key = next((key for key, parameter in properties.items() if parameter.default_key), None)
    combined = {
        parameter.key_alias: parameter.alias
        for parameter in properties.values()
        if parameter.alias and parameter.key_alias
    }
    done = set(skip)
    parts = []
    required = [key for key in sorted(values) if key in properties and not properties[key].optional]
    for key in [default_key] * (default_key is not None) + required + sorted(values):
        if key in done or key is None or values.get(key) is None:
            continue
        done.add(key)
        partner = combined.get(key)
        if partner and values.get(partner) is not None:
            parts.append(f"{perl_text(values[key])}={perl_text(values[partner])}")
            done.add(partner)
        elif key == default_key:
            parts.append(perl_text(values[key]))
        else:
            parts.append(f"{key}={perl_text(values[key])}")
    return ",".join(parts)
