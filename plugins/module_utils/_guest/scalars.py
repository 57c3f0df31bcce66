# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single values of options, each with a message that names its option.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from typing import Any

from .._desired.errors import InvalidValue
from .._desired.kinds import Boolean, Integer, show


def read_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise InvalidValue(f"'{show(value)}' is none of {', '.join(choices)}", name)
    return str(value)


def read_flag(name: str, value: Any) -> bool:
    try:
        return Boolean().parse(value)
    except InvalidValue as error:
        raise error.below(name) from error


def read_whole(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    try:
        return Integer(minimum=minimum, maximum=maximum).parse(value)
    except InvalidValue as error:
        raise error.below(name) from error


def read_vmid(name: str, value: Any) -> int:
    return read_whole(name, value, 100, 999999999)


def read_text(name: str, value: Any) -> str:
    if isinstance(value, (dict, list, tuple, bool)):
        raise InvalidValue(f"a text is needed, not {show(value)}", name)
    return str(value).strip()


def read_list(name: str, value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise InvalidValue(f"a list is needed, not {show(value)}", name)
    return list(value)


def refuse_unknown(name: str, value: Any, known: tuple[str, ...]) -> None:
    """A dictionary with other keys than those known."""
    for key in value:
        if key not in known:
            raise InvalidValue(f"there is no such property; there are {', '.join(known)}", f"{name}.{key}")
