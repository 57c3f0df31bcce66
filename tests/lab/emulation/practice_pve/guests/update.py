# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a virtual machine's configuration: verify, write to the pending section, apply what can be applied."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from practice_pve.guests import machine
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disks import DiskMaker, is_owner, register_unused
from practice_pve.guests.drives import Drive, boot_order, parse_drive, print_boot_order
from practice_pve.guests.formats import is_drive_name
from practice_pve.guests.hotplug import apply_pending, hotplug_pending
from practice_pve.guests.store import QEMU
from practice_pve.guests.values import hash_password, memory_of, new_uuid, unique_tags
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError, ParameterErrors
from practice_pve.rest.verification import perl_text
from practice_pve.storage import volumes
from practice_pve.storage.definitions import StorageList


@dataclass
class Change:
    """What one call asks for; `set` holds texts that are already spelled as PVE stores them."""

    guest_id: int
    set: dict[str, object]
    delete: list[str] = field(default_factory=list)
    revert: list[str] = field(default_factory=list)
    force: bool = False
    skip_lock: bool = False
    digest: str | None = None
    user: str = "root@pam"
    # what the log says, in the caller's spelling
    description: str = ""


def load_checked(change: Change) -> GuestConfig:
    """The configuration, when this change may be made to it."""
    config = QEMU.load(change.guest_id)
    if change.digest and change.digest != config.digest:
        raise ApiError("checksum mismatch (file change by other user?)")
    if not change.skip_lock and not ("vmstate" in change.delete and config.values.get("lock") == "suspended"):
        QEMU.assert_unlocked(config)
    for key in change.revert:
        if key in config.values:
            change.set[key] = config.values[key]
        elif key in config.pending and key not in change.delete:
            change.delete.append(key)
    balloon = change.set.get("balloon", config.pending.get("balloon", config.values.get("balloon")))
    if ("memory" in change.set or "balloon" in change.set) and balloon:
        memory = memory_of({**config.values, **config.pending, **change.set})
        if int(str(balloon)) > memory:
            raise ApiError("balloon value too large (must be smaller than assigned memory)")
    return config


def update_machine(change: Change, storages: StorageList) -> None:
    """Make the change; the caller holds the guest's lock."""
    config = load_checked(change)
    print(f"update VM {change.guest_id}: {change.description}")
    client.log(f"update VM {change.guest_id}: {change.description}", "info", change.user, "pvedaemon")
    _Updater(change, config, storages).run()


class _Updater:
    """One change on its way through deletions, new values and their application."""

    def __init__(self, change: Change, config: GuestConfig, storages: StorageList) -> None:
        self.change = change
        self.config = config
        self.storages = storages
        self.order = boot_order(config.values)
        self.modified: dict[str, bool] = {}

    def run(self) -> None:
        """Write step by step, as PVE does: what fails in the middle leaves the earlier steps done."""
        for key in self.change.delete:
            self._delete(key)
        for key, value in self.change.set.items():
            self.modified[key] = True
            self._set(key, value)
        if clean_pending(self.config):
            self._save()
        if not self.config.pending:
            return
        if machine.is_running(self.change.guest_id):
            errors = hotplug_pending(self.change.guest_id, self.config, self.modified)
        else:
            errors = apply_pending(self.change.guest_id, self.config)
        if errors:
            raise ParameterErrors(errors)

    def _save(self) -> None:
        QEMU.save(self.change.guest_id, self.config)

    def _delete(self, key: str) -> None:
        config = self.config
        value = config.values.get(key, config.pending.get(key))
        if value is None:
            print(f"cannot delete '{key}' - not set in current configuration!", file=sys.stderr)
            return
        self.modified[key] = True
        was_pending = key in config.pending
        config.pending.pop(key, None)
        if key in self.order:
            self.order.remove(key)
            config.pending["boot"] = print_boot_order(self.order)
            self.modified["boot"] = True
        if key.startswith("unused"):
            self._delete_unused(key, str(value))
            return
        if key == "tags":
            config.values.pop(key, None)
        elif is_drive_name(key):
            QEMU.assert_not_protected(config, f"can't remove drive '{key}'")
            drive = parse_drive(key, perl_text(value))
            if was_pending and drive:
                register_unused(config, self.change.guest_id, drive)
            self._mark_deleted(key)
        else:
            self._mark_deleted(key)
        self._save()

    def _mark_deleted(self, key: str) -> None:
        deletions = self.config.pending_deletions()
        deletions[key] = self.change.force
        self.config.set_pending_deletions(deletions)

    def _delete_unused(self, key: str, volume_id: str) -> None:
        QEMU.assert_not_protected(self.config, f"can't remove unused disk '{volume_id}'")
        if is_owner(self.storages, self.change.guest_id, volume_id):
            if is_in_use(self.config, volume_id, besides=key):
                raise ApiError(f"unable to delete '{volume_id}' - volume is still in use (snapshot?)")
            volumes.free(self.storages, volume_id)
        del self.config.values[key]
        self._save()

    def _set(self, key: str, value: object) -> None:
        config = self.config
        if key in config.pending and perl_text(config.pending[key]) == perl_text(value):
            return
        special = _SETTERS.get(key)
        if is_drive_name(key):
            self._set_drive(key, perl_text(value))
        elif special:
            special(self, value)
        else:
            config.pending[key] = value
        deletions = config.pending_deletions()
        if deletions.pop(key, None) is not None:
            config.set_pending_deletions(deletions)
        self._save()

    def _set_drive(self, key: str, value: str) -> None:
        config = self.config
        old = config.values.get(key)
        if key == "tpmstate0" and old:
            _refuse_tpm_change(str(old), value)
        if key in config.pending:
            drive = parse_drive(key, perl_text(config.pending[key]))
            if drive:
                register_unused(config, self.change.guest_id, drive)
        made = DiskMaker(self.change.guest_id, config, self.storages).make({key: value})
        config.pending.update(made)
        drive = parse_drive(key, value)
        if self.order and drive and drive.is_cdrom and not drive.is_cloud_init and key not in self.order:
            self.order.append(key)
            config.pending["boot"] = print_boot_order(self.order)
            self.modified["boot"] = True

    def _set_boot(self, value: object) -> None:
        devices = boot_order({"boot": value})
        config = self.config
        if re.search(r"(?:^|,)order=", str(value)):
            for device in devices:
                known = device in config.values or device in config.pending or device in self.change.set
                if not known or device in self.change.delete:
                    # the stray quote is PVE's
                    raise ApiError(f"invalid bootorder: device '{device}' does not exist'")
            config.pending["boot"] = print_boot_order(devices)
            if "bootdisk" in config.values:
                self._mark_deleted("bootdisk")
        else:
            config.pending["boot"] = value

    def _set_tags(self, value: object) -> None:
        self.config.pending["tags"] = unique_tags(str(value))

    def _set_password(self, value: object) -> None:
        # Windows wants it in clear text
        is_windows = str(self.config.values.get("ostype", "")).startswith("w")
        self.config.values["cipassword"] = str(value) if is_windows else hash_password(str(value))

    def _set_generation_id(self, value: object) -> None:
        self.config.pending["vmgenid"] = new_uuid() if str(value) == "1" else value


_SETTERS: Mapping[str, Callable[[_Updater, object], None]] = {
    "boot": _Updater._set_boot,
    "tags": _Updater._set_tags,
    "cipassword": _Updater._set_password,
    "vmgenid": _Updater._set_generation_id,
}


def clean_pending(config: GuestConfig) -> bool:
    """Drop pending values that equal the current ones and deletions of what is not set; True when something went."""
    changed = False
    for key in [key for key in config.pending if key != "delete"]:
        if key in config.values and perl_text(config.values[key]) == perl_text(config.pending[key]):
            del config.pending[key]
            changed = True
    before = config.pending_deletions()
    after = {key: force for key, force in before.items() if key in config.values}
    config.set_pending_deletions(after)
    return changed or len(after) != len(before)


def is_in_use(config: GuestConfig, volume_id: str, besides: str) -> bool:
    """True when a drive of the configuration or of a snapshot uses the volume."""
    for values in (config.values, *config.snapshots.values()):
        for key, value in values.items():
            if key != besides and is_drive_name(key):
                drive: Drive | None = parse_drive(key, perl_text(value))
                if drive and not drive.is_cdrom and drive.file == volume_id:
                    return True
    return False


def _refuse_tpm_change(old_text: str, new_text: str) -> None:
    old, new = parse_drive("tpmstate0", old_text), parse_drive("tpmstate0", new_text)
    if not old or not new or old.file != new.file:
        return
    if old.options.get("version", "v1.2") != new.options.get("version", "v1.2"):
        raise ApiError("cannot change TPM state version after creation")
