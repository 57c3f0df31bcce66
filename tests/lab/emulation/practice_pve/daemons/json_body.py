# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON bodies, and the words of Perl's parser for those it cannot read."""

from __future__ import annotations

import json
from typing import Any

WHERE = " at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.\n"
MESSAGES = (
    ("Expecting property name", "'\"' expected"),
    ("Expecting ':' delimiter", "':' expected"),
    ("Unterminated string", "unexpected end of string while parsing JSON string"),
    ("Invalid control character", "invalid character 0x0A encountered while parsing JSON string"),
    ("Invalid \\escape", "illegal backslash escape sequence in string"),
    ("Extra data", "garbage after JSON object"),
)


class BadJson(Exception):
    """The text is Perl's whole complaint."""


def decode(body: bytes) -> dict[str, Any]:
    """Return the parameters of a JSON body."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson("malformed UTF-8 character in JSON string" + position("", error.start)) from None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadJson(complaint(error.msg, text, error.pos) + position(text, error.pos)) from None
    if not isinstance(value, dict):
        raise BadJson("Not a HASH reference" + WHERE)
    return value


def complaint(message: str, text: str, offset: int) -> str:
    """Return Perl's name for an error."""
    if message.startswith("Expecting ',' delimiter"):
        before = text[:offset]
        in_object = before.rfind("{") > before.rfind("[")
        return ", or } expected while parsing object/hash" if in_object else ", or ] expected while parsing array"
    for beginning, words in MESSAGES:
        if message.startswith(beginning):
            return words
    return "malformed JSON string, neither tag, array, object, number, string or atom"


def position(text: str, offset: int) -> str:
    """Return where the parser stopped."""
    rest = text[offset:]
    return f', at character offset {offset} (before "{rest[:20] + ("..." if len(rest) > 20 else "") or "(end of string)"}"){WHERE}'
