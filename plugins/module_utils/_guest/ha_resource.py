# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's entry in high availability: the table of its keys, and the steps that make it as declared.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._desired.compare import compare, shown_changes
from .._desired.kinds import Boolean, Description, Integer, Text
from .._desired.schema import LIVE, Key, Schema
from .._plan import Plan, Step

if TYPE_CHECKING:
    from .wish import HighAvailability

HA_RESOURCE = Schema.of(
    [
        Key("state", Text(default="started", choices=("started", "stopped", "disabled", "ignored")), effect=LIVE),
        Key("max_restart", Integer(default=1, minimum=0), effect=LIVE),
        Key("max_relocate", Integer(default=1, minimum=0), effect=LIVE),
        Key("failback", Boolean(default=True), effect=LIVE),
        Key("comment", Description(default=""), effect=LIVE),
    ],
    spellings={"description": "comment"},
)


def plan_high_availability(
    wanted: HighAvailability, sid: str, current: Mapping[str, Any] | None, running_state: str
) -> Plan:
    """C(current) is what Proxmox VE has for it. A new entry without a declared state takes over whether the guest runs:
    Proxmox VE's own default would start it."""
    if not wanted.wanted:
        if current is None:
            return Plan((), {}, {})
        step = Step("ha_remove", f"Take {sid} out of high availability.", {"sid": sid})
        return Plan((step,), {"ha": _shown(current)}, {})
    if current is None:
        settings = {"state": running_state, **wanted.settings}
        texts = {key: _text(key, value) for key, value in settings.items()}
        step = Step("ha_add", f"Put {sid} under high availability.", {"sid": sid, "settings": texts})
        return Plan((step,), {}, {"ha": texts})
    changes = compare(HA_RESOURCE, wanted.settings, HA_RESOURCE.parse_current(current))
    if not changes:
        return Plan((), {}, {})
    texts = {change.key: change.after or "" for change in changes}
    before, after = shown_changes(changes)
    step = Step("ha_set", f"Set {', '.join(texts)} of {sid} in high availability.", {"sid": sid, "settings": texts})
    return Plan((step,), {"ha": before}, {"ha": after})


def _shown(current: Mapping[str, Any]) -> dict[str, str]:
    return {key: _text(key, value) for key, value in HA_RESOURCE.parse_current(current).items()}


def _text(key: str, value: Any) -> str:
    row = HA_RESOURCE.find(key)
    if row is None:
        raise AssertionError
    return str(row.kind.format(value))
