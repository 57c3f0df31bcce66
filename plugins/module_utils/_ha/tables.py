# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HA knows of a guest and of its place, on every version: the keys, and how their values compare.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._desired.errors import InvalidValue
from .._desired.kinds import Boolean, Integer, Kind, Names, Text, show
from .._desired.schema import LIVE, Key, Schema

HIGHEST_PRIORITY = 1000


@dataclass(frozen=True)
class Priorities(Kind):
    """Nodes with their priorities; the highest wins. Written C(pve1:100,pve2), where no number means 0."""

    def parse(self, value: Any) -> dict[str, int]:
        if isinstance(value, Mapping):
            pairs = [(str(node), priority) for node, priority in value.items()]
        else:
            words = (
                value
                if isinstance(value, (list, tuple))
                else [word for word in re.split(r"[\s,;]+", str(value)) if word]
            )
            pairs = [(node, priority or 0) for node, _colon, priority in (str(word).partition(":") for word in words)]
        whole = Integer(minimum=0, maximum=HIGHEST_PRIORITY)
        parsed = {}
        for node, priority in pairs:
            if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", node):
                raise InvalidValue(f"'{show(node)}' is not a node's name")
            try:
                parsed[node] = whole.parse(priority)
            except InvalidValue as error:
                raise error.below(node) from error
        return parsed

    def format(self, value: Any) -> str:
        return ",".join(f"{node}:{priority}" if priority else node for node, priority in sorted(value.items()))


def _key(name: str, kind: Kind) -> Key:
    return Key(name, kind, effect=LIVE)


_NO, _YES = Boolean(default=False), Boolean(default=True)
_COMMENT = _key("comment", Text(default=""))
STATES = ("started", "stopped", "disabled", "ignored")

RESOURCE = Schema.of(
    [
        _key("state", Text(default="started", choices=STATES)),
        _key("max_restart", Integer(default=1, minimum=0)),
        _key("max_relocate", Integer(default=1, minimum=0)),
        _key("failback", _YES),
        _key("group", Text()),
        _COMMENT,
    ]
)
RULE = Schema.of(
    [_key("nodes", Priorities()), _key("resources", Names()), _key("strict", _NO), _key("disable", _NO), _COMMENT]
)
GROUP = Schema.of([_key("nodes", Priorities()), _key("restricted", _NO), _key("nofailback", _NO), _COMMENT])
