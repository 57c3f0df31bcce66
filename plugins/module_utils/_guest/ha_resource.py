# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's entry in high availability: the steps that make it as declared.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._desired.compare import compare, shown_changes
from .._ha.tables import RESOURCE
from .._plan import Plan, Step

if TYPE_CHECKING:
    from .wish import HighAvailability

#: What belongs to the guest; where it may run is said by intent, with groups or rules.
OWN_KEYS = ("state", "max_restart", "max_relocate", "failback", "comment")


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
    changes = compare(RESOURCE, wanted.settings, RESOURCE.parse_current(current))
    if not changes:
        return Plan((), {}, {})
    texts = {change.key: change.after or "" for change in changes}
    before, after = shown_changes(changes)
    step = Step("ha_set", f"Set {', '.join(texts)} of {sid} in high availability.", {"sid": sid, "settings": texts})
    return Plan((step,), {"ha": before}, {"ha": after})


def _shown(current: Mapping[str, Any]) -> dict[str, str]:
    return {key: _text(key, value) for key, value in RESOURCE.parse_current(current).items()}


def _text(key: str, value: Any) -> str:
    row = RESOURCE.find(key)
    if row is None:
        raise AssertionError
    return str(row.kind.format(value))
