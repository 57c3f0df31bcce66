# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How parameters travel: as a form, as JSON, as the options of a command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .errors import Invalid, Unreachable
from .upid import find_upid

# What must never appear in a command line, where every user of the machine can read it.
SECRETS = frozenset({"password", "cipassword", "encryption-key", "keyring", "secret", "token", "otp"})


def text_of(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Invalid(
        "a parameter is neither text nor number nor a list of these", errors={key: f"got {type(value).__name__}"}
    )


def pairs(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and texts; None is left out, a list gives its name several times."""
    return [
        (key, text_of(key, item))
        for key, value in params.items()
        if value is not None
        for item in (value if isinstance(value, (list, tuple)) else [value])
    ]


def query(params: Mapping[str, Any]) -> str:
    return urlencode(pairs(params), quote_via=quote)


def body(params: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body of a writing call and its type. A list goes as JSON, since a form cannot tell a list of one from a text."""
    if any(isinstance(value, (list, tuple)) for value in params.values()):
        values = {
            key: [text_of(key, item) for item in value] if isinstance(value, (list, tuple)) else text_of(key, value)
            for key, value in params.items()
            if value is not None
        }
        return json.dumps(values).encode(), "application/json"
    return query(params).encode(), "application/x-www-form-urlencoded"


def options(params: Mapping[str, Any]) -> Iterator[str]:
    """The options of pvesh; C(--key=value), so that a value may begin with a dash."""
    for key, value in pairs(params):
        if key in SECRETS:
            raise Unreachable(
                f"the API of this node does not answer, and {key} is never put into a command line",
                remedy="start the daemons again: systemctl start pvedaemon pveproxy",
            )
        yield f"--{key}={value}"


def read_command_output(command: str, stdout: str) -> Any:
    """What C(pvesh COMMAND --output-format json) returned.

    The answer is the last line. Above it stands what the call printed, for a task its whole log. A call without a result
    prints none. For another node's task, pvesh gives log and UPID in one text without line ends."""
    line = stdout.rstrip("\n").rpartition("\n")[2]
    try:
        result = json.loads(line) if line else None
    except ValueError:
        result = None
        if command == "get":  # printed over several lines: nothing that pvesh does today, but no reason to lose it
            try:
                result = json.loads(stdout)
            except ValueError:
                result = line
    if command != "get" and isinstance(result, str):
        upid = find_upid(result)
        # A changed configuration answers null; over SSH the words "update VM 100: ..." take its place.
        result = upid or (None if command == "set" else result)
    return result
