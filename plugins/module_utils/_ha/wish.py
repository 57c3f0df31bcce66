# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wants of HA for one guest.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._desired.errors import InvalidValue
from .tables import RESOURCE, Priorities


@dataclass(frozen=True)
class HaWish:
    """C(prefer) is None when nothing is said about nodes, and empty when no node shall be preferred any more."""

    guest: str
    absent: bool = False
    keys: Mapping[str, Any] = field(default_factory=dict)
    prefer: Mapping[str, int] | None = None
    strict: bool = False
    failback: bool | None = None


def parse_wish(params: Mapping[str, Any]) -> HaWish:
    """Read a module's parameters; raises InvalidValue with the key's name."""
    guest = str(params["guest"]).strip()
    if not re.fullmatch(r"(?:(?:vm|ct):)?[1-9]\d{2,8}", guest):
        raise InvalidValue(f"'{guest}' is not a guest: vm:100, ct:200, or its number alone", "guest")
    state = params.get("state")
    declared = {name: params.get(name) for name in ("max_restart", "max_relocate", "comment")}
    if state not in (None, "absent"):
        declared["state"] = state
    prefer = params.get("prefer")
    try:
        priorities = None if prefer is None else Priorities().parse(prefer)
    except InvalidValue as error:
        raise error.below("prefer") from error
    if params.get("strict") is not None and not priorities:
        raise InvalidValue("it says something about prefer, which is not given", "strict")
    return HaWish(
        guest=guest,
        absent=state == "absent",
        keys=RESOURCE.parse_all(declared),
        prefer=priorities,
        strict=bool(params.get("strict")),
        failback=params.get("failback"),
    )
