# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a module for guests, against guests in memory."""

from __future__ import annotations

from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.batch import Outcome, parse_wishes, settle_all
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.guest_types import LXC, QEMU
from fake_guests import FakeGuests


def settle(fake: FakeGuests, *entries: dict[str, Any], check: bool = False, **defaults: Any) -> Outcome:
    guest_type = QEMU if fake.kind == "qemu" else LXC
    return settle_all(fake.session, parse_wishes(entries, defaults, guest_type), check, 4)


def succeeded(outcome: Outcome) -> Outcome:
    assert [result.error for result in outcome.results if result.error] == []
    return outcome
