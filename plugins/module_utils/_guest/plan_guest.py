# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a wish and a state to a plan. Nothing here asks or changes anything.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from .._plan import Plan
from .findings import Findings
from .plan_clone import plan_clone
from .plan_create import plan_create
from .plan_update import plan_update
from .wish import GuestWish


def plan_guest(wish: GuestWish, found: Findings) -> Plan:
    if found.current is not None:
        return plan_update(wish, found, found.current)
    return plan_clone(wish, found) if wish.clone else plan_create(wish, found)
