# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wants a storage to be.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._desired.errors import InvalidValue
from .tables import STORAGE, TYPES, StorageType

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]")


@dataclass(frozen=True)
class StorageWish:
    """C(keys) are the declared ones in their normal form; C(type) may be left out for a storage that exists."""

    name: str
    state: str = "present"
    type: str | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    absent_keys: tuple[str, ...] = ()
    update_password: str = "on_create"
    in_use: str = "refuse"
    check_reachable: bool = True


def parse_wish(params: Mapping[str, Any]) -> StorageWish:
    """Read a module's parameters; raises InvalidValue with the key's name."""
    name = str(params["name"])
    if not _NAME.fullmatch(name):
        raise InvalidValue(f"'{name}' is not a storage's name (two characters or more, a letter first)", "name")
    kind = params.get("type")
    keys = STORAGE.parse_all(
        {
            key: params.get(key.replace("-", "_"))
            for key in STORAGE.rows
            if params.get(key.replace("-", "_")) is not None
        }
    )
    absent = tuple(STORAGE.canonical(key) for key in params.get("absent_keys") or ())
    for key in (*keys, *absent):
        if kind and key not in TYPES[kind].keys:
            raise InvalidValue(f"a storage of type {kind} has no such key; it has {_listed(TYPES[kind])}", key)
    for key in absent:
        if key in keys:
            raise InvalidValue("it is declared, and to be absent as well", key)
    if "none" in keys.get("content", ()) and len(keys["content"]) > 1:
        raise InvalidValue("'none' goes with no other content", "content")
    return StorageWish(
        name=name,
        state=params.get("state") or "present",
        type=kind,
        keys=keys,
        absent_keys=absent,
        update_password=params.get("update_password") or "on_create",
        in_use=params.get("in_use") or "refuse",
        check_reachable=params.get("check_reachable") is not False,
    )


def _listed(kind: StorageType) -> str:
    return ", ".join(sorted(kind.keys))
