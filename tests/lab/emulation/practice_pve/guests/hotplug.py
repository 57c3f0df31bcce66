# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying pending changes: all of them to a stopped machine, to a running one only what QEMU can take."""

from __future__ import annotations

import re
from collections.abc import Mapping

from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disks import is_owner, register_unused
from practice_pve.guests.drives import parse_drive
from practice_pve.guests.formats import is_drive_name
from practice_pve.guests.store import QEMU
from practice_pve.guests.tables.machine_options import CLOUD_INIT_KEYS
from practice_pve.guests.tables.machine_parts import AGENT
from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import parse_property_string, perl_text
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages

# Changes that a running machine does not even notice.
UNNOTICED = (
    "description", "hookscript", "lock", "migrate_downtime", "migrate_speed", "name", "onboot", "protection", "shares",
    "startup", "tags", "vmstatestorage",
)  # fmt: skip
ALWAYS_LIVE = ("cpuunits", "cpulimit")
DEFAULT_FEATURES = "network,disk,usb"
# Cloud-init keys that the guest sees only after its configuration drive has been written again.
_RECORDED = (*CLOUD_INIT_KEYS, "name")


def apply_pending(guest_id: int, config: GuestConfig) -> dict[str, str]:
    """Apply everything to a stopped machine; returns error texts by key."""
    errors: dict[str, str] = {}
    for key, force in sorted(config.pending_deletions().items()):
        try:
            if key in config.values and is_drive_name(key):
                _detach(guest_id, config, key, force=force)
        except ApiError as error:
            errors[key] = f"unable to apply pending change {key} : {error.message}"
            continue
        config.values.pop(key, None)
        _forget_deletion(config, key)
    writes_cloud_init = False
    for key in [key for key in config.pending if key != "delete"]:
        value = config.pending.pop(key)
        old = config.values.get(key)
        if old is not None and is_drive_name(key):
            _register_replaced(guest_id, config, key, perl_text(old), perl_text(value))
        config.values[key] = value
        drive = parse_drive(key, perl_text(value)) if is_drive_name(key) else None
        writes_cloud_init = writes_cloud_init or bool(drive and drive.is_cloud_init)
    if writes_cloud_init:
        config.special.pop("cloudinit", None)
    QEMU.save(guest_id, config)
    return errors


def hotplug_pending(guest_id: int, config: GuestConfig, modified: Mapping[str, bool]) -> dict[str, str]:
    """Apply what a running machine can take; the rest stays pending."""
    for key in [key for key in config.pending if key in UNNOTICED]:
        value = config.pending.pop(key)
        _record_cloud_init(config, key, config.values.get(key), value)
        config.values[key] = value
    features = hotplug_features(config)
    errors: dict[str, str] = {}
    for key, force in sorted(config.pending_deletions().items()):
        if not modified.get(key) or not _can_unplug(key, features):
            continue
        try:
            if is_drive_name(key):
                _detach(guest_id, config, key, force=force)
        except ApiError as error:
            errors[key] = f"hotplug problem - {error.message}"
            continue
        _record_cloud_init(config, key, config.values.pop(key, None), None)
        _forget_deletion(config, key)
    for key in [key for key in config.pending if key != "delete" and modified.get(key)]:
        value = config.pending[key]
        old = config.values.get(key)
        if not _can_plug(config, key, perl_text(value), None if old is None else perl_text(old), features):
            continue
        if old is not None and is_drive_name(key):
            _register_replaced(guest_id, config, key, perl_text(old), perl_text(value))
        del config.pending[key]
        _record_cloud_init(config, key, old, value)
        config.values[key] = value
    QEMU.save(guest_id, config)
    return errors


def hotplug_features(config: GuestConfig) -> set[str]:
    """What `hotplug:` allows."""
    text = perl_text(config.values.get("hotplug", DEFAULT_FEATURES))
    if text == "0":
        return set()
    return set(re.split(r"[,;\s]+", DEFAULT_FEATURES if text == "1" else text))


def _can_unplug(key: str, features: set[str]) -> bool:
    if key in UNNOTICED or key in ALWAYS_LIVE:
        return True
    if re.fullmatch(r"net\d+", key):
        return "network" in features
    if is_drive_name(key):
        return "disk" in features and not re.match(r"(?:efidisk|ide|sata|tpmstate)\d", key)
    if re.fullmatch(r"usb\d+", key):
        return "usb" in features
    return {"memory": "memory", "vcpus": "cpu", "tablet": "usb"}.get(key, "-") in features


def _can_plug(config: GuestConfig, key: str, value: str, old: str | None, features: set[str]) -> bool:
    if key in ALWAYS_LIVE:
        return True
    if re.fullmatch(r"net\d+", key):
        return _can_change_card(value, old, features)
    if is_drive_name(key):
        return _can_change_drive(key, value, old, features)
    if re.fullmatch(r"usb\d+", key):
        return "usb" in features and str(config.values.get("ostype", "")) in ("l26", "win8", "win10", "win11")
    if key == "agent":
        return _only_trim_differs(value, old)
    if key == "balloon":
        return (old is None or old != "0") == (value != "0")
    return {"memory": "memory", "vcpus": "cpu", "tablet": "usb"}.get(key, "-") in features


def _can_change_card(value: str, old: str | None, features: set[str]) -> bool:
    from practice_pve.guests.tables.machine_parts import NETWORK

    if old is None:
        return "network" in features
    new_card, old_card = (parse_property_string(NETWORK, text) for text in (value, old))
    # another model, address, number of queues or MTU is another card
    same_card = all(new_card.get(part) == old_card.get(part) for part in ("model", "macaddr", "queues", "mtu"))
    return same_card or "network" in features


def _can_change_drive(key: str, value: str, old: str | None, features: set[str]) -> bool:
    if key in ("efidisk0", "tpmstate0"):
        return False
    new_drive = parse_drive(key, value)
    old_drive = parse_drive(key, old) if old is not None else None
    if new_drive and old_drive and new_drive.is_cdrom and old_drive.is_cdrom:
        return True
    if new_drive and old_drive and new_drive.file == old_drive.file:
        fixed = ("aio", "cache", "discard", "iothread", "queues", "ssd", "ro", "serial", "wwn", "werror", "rerror")
        if all(new_drive.options.get(option) == old_drive.options.get(option) for option in fixed):
            return True
    return "disk" in features and not re.match(r"(?:ide|sata)\d", key)


def _only_trim_differs(value: str, old: str | None) -> bool:
    new_agent = parse_property_string(AGENT, value)
    old_agent = parse_property_string(AGENT, old or "0")
    live = ("fstrim_cloned_disks", "freeze-fs")
    return all(new_agent.get(part) == old_agent.get(part) for part in {*new_agent, *old_agent} if part not in live)


def _register_replaced(guest_id: int, config: GuestConfig, key: str, old: str, new: str) -> None:
    old_drive, new_drive = parse_drive(key, old), parse_drive(key, new)
    if old_drive and not (new_drive and new_drive.file == old_drive.file):
        register_unused(config, guest_id, old_drive)


def _detach(guest_id: int, config: GuestConfig, key: str, *, force: bool) -> None:
    drive = parse_drive(key, perl_text(config.values[key]))
    if drive is None:
        return
    storages = load_storages()
    if force and not (drive.is_cdrom and not drive.is_cloud_init):
        if is_owner(storages, guest_id, drive.file):
            volumes.free(storages, drive.file)
    else:
        register_unused(config, guest_id, drive)


def _forget_deletion(config: GuestConfig, key: str) -> None:
    deletions = config.pending_deletions()
    deletions.pop(key, None)
    config.set_pending_deletions(deletions)


def _record_cloud_init(config: GuestConfig, key: str, old: object, new: object) -> None:
    """Remember what the configuration drive of a running machine still says."""
    has_drive = any(
        (drive := parse_drive(name, perl_text(value))) and drive.is_cloud_init
        for name, value in config.values.items()
        if is_drive_name(name)
    )
    if key not in _RECORDED or (old is None and new is None) or not has_drive:
        return
    section = config.special.setdefault("cloudinit", {})
    added = set(filter(None, str(section.pop("added", "")).split(",")))
    recorded = section.get(key)
    if new is None:
        if recorded is None:
            if key in added:
                added.discard(key)
            else:
                section[key] = old
    elif recorded is not None and perl_text(new) == perl_text(recorded):
        section.pop(key)
        added.discard(key)
    elif recorded is None and key not in added:
        if old is None:
            added.add(key)
        else:
            section[key] = old
    if added:
        section["added"] = ",".join(sorted(added))
    if not section:
        config.special.pop("cloudinit", None)
