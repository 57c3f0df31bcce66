# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules for guests, made from the tables of keys. The doc fragments say the same in words.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from typing import Any

from .._desired.kinds import Boolean, Integer, Kind
from .guest_types import QEMU, GuestType
from .read_wish import CI_CHANGES, RESTART_POLICIES, TAGS_MODES, UPDATE_PASSWORD
from .wish import STATES

#: Keys that have an option of another kind.
_OWN_OPTIONS = ("name", "hostname")


def guest_options(guest_type: GuestType = QEMU) -> dict[str, dict[str, Any]]:
    """The options of one guest. None has a default here: an entry of C(vms) takes what C(defaults) says."""
    options: dict[str, dict[str, Any]] = {
        "name": {"type": "str", **({"aliases": ["hostname"]} if guest_type.name_key == "hostname" else {})},
        "vmid": {"type": "int"},
        "node": {"type": "str"},
        "state": {"type": "str", "choices": list(STATES)},
        guest_type.source_option: {"type": "raw"},
        "clone": {"type": "raw"},
        "storage": {"type": "str"},
        "pool": {"type": "str"},
        "ha": {"type": "raw"},
        "vmid_range": {"type": "list", "elements": "int"},
        "absent_keys": {"type": "list", "elements": "str", "no_log": False},
        "restart_policy": {"type": "str", "choices": list(RESTART_POLICIES)},
        "tags_mode": {"type": "str", "choices": list(TAGS_MODES)},
        "force": {"type": "bool"},
        "purge": {"type": "bool"},
        "destroy_unreferenced_disks": {"type": "bool"},
        "timeout": {"type": "int"},
        "wait_for": {"type": "raw"},
        "config": {"type": "dict"},
        **(_machine_options() if guest_type.kind == "qemu" else _container_options()),
        **{family: {"type": "raw"} for family in guest_type.families},
    }
    for row in guest_type.schema.rows.values():
        if not row.count and row.name not in _OWN_OPTIONS:
            options[row.name.replace("-", "_")] = _option(row.kind, row.secret)
    options["tags"] = {"type": "list", "elements": "str"}
    options["nameserver"]["aliases"] = ["nameservers"]
    options["searchdomain"]["aliases"] = ["searchdomains"]
    if guest_type.kind == "qemu":
        options["sshkeys"] = {"type": "raw", "no_log": False}
        options["keyboard"]["no_log"] = False
        options["numa"]["aliases"] = ["numa_enabled"]
    return options


def _machine_options() -> dict[str, dict[str, Any]]:
    return {
        "ci_storage": {"type": "str"},
        "ci_changes": {"type": "str", "choices": list(CI_CHANGES)},
        "update_password": {"type": "str", "choices": list(UPDATE_PASSWORD), "no_log": False},
        "snippets": {"type": "list", "elements": "dict", "options": _snippet_options()},
    }


def _container_options() -> dict[str, dict[str, Any]]:
    return {
        "password": {"type": "str", "no_log": True},
        "ssh_public_keys": {"type": "raw", "no_log": False},
    }


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


def module_options(guest_type: GuestType = QEMU) -> dict[str, dict[str, Any]]:
    """Those of one guest, and those of many."""
    return {
        **guest_options(guest_type),
        "vms": {"type": "list", "elements": "dict", "options": guest_options(guest_type)},
        "defaults": {"type": "dict", "options": guest_options(guest_type)},
        "max_parallel": {"type": "int", "default": 8},
    }
