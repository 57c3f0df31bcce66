# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module for virtual machines, made from the table of keys. The doc fragment says the same in words.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from typing import Any

from .._desired.kinds import Boolean, Integer, Kind
from .key_tables import VIRTUAL_MACHINE
from .wish import FAMILIES, STATES

#: Keys that have an option of another kind.
_OWN_OPTIONS = ("name",)


def guest_options() -> dict[str, dict[str, Any]]:
    """The options of one virtual machine. None has a default here: an entry of C(vms) takes what C(defaults) says."""
    options: dict[str, dict[str, Any]] = {
        "name": {"type": "str"},
        "vmid": {"type": "int"},
        "node": {"type": "str"},
        "state": {"type": "str", "choices": list(STATES)},
        "image": {"type": "raw"},
        "clone": {"type": "raw"},
        "storage": {"type": "str"},
        "ci_storage": {"type": "str"},
        "pool": {"type": "str"},
        "vmid_range": {"type": "list", "elements": "int"},
        "absent_keys": {"type": "list", "elements": "str", "no_log": False},
        "restart_policy": {"type": "str", "choices": ["never", "if_required", "always"]},
        "ci_changes": {"type": "str", "choices": ["apply", "warn", "ignore", "refuse"]},
        "update_password": {"type": "str", "choices": ["on_create", "always"], "no_log": False},
        "tags_mode": {"type": "str", "choices": ["exact", "add"]},
        "force": {"type": "bool"},
        "purge": {"type": "bool"},
        "destroy_unreferenced_disks": {"type": "bool"},
        "timeout": {"type": "int"},
        "wait_for": {"type": "raw"},
        "snippets": {"type": "list", "elements": "dict", "options": _snippet_options()},
        "config": {"type": "dict"},
        **{family: {"type": "raw"} for family in FAMILIES},
    }
    for row in VIRTUAL_MACHINE.rows.values():
        if not row.count and row.name not in _OWN_OPTIONS:
            options[row.name.replace("-", "_")] = _option(row.kind, row.secret)
    options["tags"] = {"type": "list", "elements": "str"}
    options["sshkeys"] = {"type": "raw", "no_log": False}
    options["keyboard"]["no_log"] = False
    options["nameserver"]["aliases"] = ["nameservers"]
    options["searchdomain"]["aliases"] = ["searchdomains"]
    options["numa"]["aliases"] = ["numa_enabled"]
    return options


def _snippet_options() -> dict[str, dict[str, Any]]:
    return {name: {"type": "str", "required": True} for name in ("name", "storage", "content")}


def _option(kind: Kind, secret: bool) -> dict[str, Any]:
    if secret:
        return {"type": "str", "no_log": True}
    if isinstance(kind, Boolean):
        return {"type": "bool"}
    if isinstance(kind, Integer):
        return {"type": "int"}
    return {"type": "raw"}


def module_options() -> dict[str, dict[str, Any]]:
    """Those of one machine, and those of many."""
    return {
        **guest_options(),
        "vms": {"type": "list", "elements": "dict", "options": guest_options()},
        "defaults": {"type": "dict", "options": guest_options()},
        "max_parallel": {"type": "int", "default": 8},
    }
