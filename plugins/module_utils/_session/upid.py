# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of a task, C(UPID:node:pid:pstart:starttime:type:id:user:)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UPID = re.compile(
    r"UPID:(?P<node>[A-Za-z0-9][A-Za-z0-9-]*):(?P<pid>[0-9A-Fa-f]{8}):(?P<pstart>[0-9A-Fa-f]{8,9})"
    r":(?P<starttime>[0-9A-Fa-f]{8}):(?P<type>[^:\s]+):(?P<id>[^:\s]*):(?P<user>[^:\s]+):"
)


@dataclass(frozen=True)
class Upid:
    text: str
    node: str
    starttime: int
    type: str
    id: str
    user: str


def parse_upid(text: object) -> Upid | None:
    """Read a UPID; None for anything else."""
    match = _UPID.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    return Upid(match[0], match["node"], int(match["starttime"], 16), match["type"], match["id"], match["user"])


def find_upid(text: str) -> str | None:
    """The last UPID in a text that may have other words before it."""
    found = [match[0] for match in _UPID.finditer(text)]
    return found[-1] if found else None
