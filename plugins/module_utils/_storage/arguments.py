# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module for storages, made from the table of keys. The doc fragment says the same in words.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from typing import Any

from .._desired.kinds import Boolean, Integer, Kind, Names
from .._desired.property_string import PropertyString
from .tables import STORAGE, TYPES


def module_options() -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {
        "name": {"type": "str", "required": True, "aliases": ["storage"]},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "type": {"type": "str", "choices": sorted(TYPES)},
        "absent_keys": {"type": "list", "elements": "str", "no_log": False, "default": []},
        "update_password": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
        "in_use": {"type": "str", "choices": ["refuse", "ignore"], "default": "refuse"},
        "check_reachable": {"type": "bool", "default": True},
    }
    for row in STORAGE.rows.values():
        options[row.name.replace("-", "_")] = {**_option(row.kind), "no_log": row.secret}
    return options


def _option(kind: Kind) -> dict[str, Any]:
    if isinstance(kind, Names):
        return {"type": "list", "elements": "str"}
    if isinstance(kind, Boolean):
        return {"type": "bool"}
    if isinstance(kind, Integer):
        return {"type": "int"}
    return {"type": "raw"} if isinstance(kind, PropertyString) else {"type": "str"}
