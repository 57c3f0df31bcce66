# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud-init: which changes make a guest run its first boot again, and what is missing for its network.

This file is private to the collection and may change without notice.

Proxmox VE derives the instance-id from the user and network data. A guest that sees a new one runs everything that belongs to a
first boot again; most notably it makes new SSH host keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._desired.compare import Change
from .._desired.property_string import PropertyString
from .._desired.schema import Schema


def changes_first_boot(schema: Schema, change: Change) -> bool:
    row = schema.find(change.key)
    if row is None:
        return False
    if re.fullmatch(r"net\d+", change.key):
        # The network data names the card by its address; bridge or tag are the host's affair.
        kind = row.kind
        if not isinstance(kind, PropertyString):
            raise AssertionError
        before, after = (kind.parse(text).get("macaddr") if text else None for text in (change.before, change.after))
        return (before or "").lower() != (after or "").lower()
    return row.first_boot


def unconfigured_cards(keys: Iterable[str], has_cloud_init: bool, cicustom: Any) -> list[str]:
    """Cards that cloud-init would leave without any address."""
    keys = set(keys)
    custom_network = isinstance(cicustom, Mapping) and bool(cicustom.get("network"))
    if not has_cloud_init or custom_network:
        return []
    cards = sorted(key for key in keys if re.fullmatch(r"net\d+", key))
    return [card for card in cards if "ipconfig" + card.removeprefix("net") not in keys]


def warn_about_cards(cards: Collection[str]) -> list[str]:
    return [
        f"{card} has no ipconfig{card.removeprefix('net')}: cloud-init will give it no network configuration at all, not even DHCP."
        for card in sorted(cards)
    ]
