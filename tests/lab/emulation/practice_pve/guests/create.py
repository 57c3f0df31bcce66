# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and destroying a virtual machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from practice_pve import settings
from practice_pve.guests import machine, pools
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disks import DiskMaker, is_owner
from practice_pve.guests.drives import default_boot_order, drives_of, print_boot_order
from practice_pve.guests.start import start_machine
from practice_pve.guests.store import QEMU
from practice_pve.guests.values import QEMU_VERSION, complete_network_card, new_meta, new_uuid, unique_tags
from practice_pve.ha import resources as ha_resources
from practice_pve.rest.errors import ApiError, NotEmulated
from practice_pve.rest.tasks import warn
from practice_pve.storage import volumes
from practice_pve.storage.definitions import StorageList, load_storages


@dataclass
class NewMachine:
    """What a create call asks for."""

    guest_id: int
    values: dict[str, object]
    storage: str | None = None
    pool: str | None = None
    start: bool = False
    ha_managed: bool = False
    user: str = "root@pam"


def create_machine(new: NewMachine) -> None:
    """The worker's part; the id is already reserved. On failure nothing is left."""
    try:
        with QEMU.lock(new.guest_id, timeout=1):
            _create_locked(new)
    except (ApiError, NotEmulated):
        QEMU.remove(new.guest_id)
        raise
    if new.ha_managed:
        print("Add as HA resource")
        _as_warning(lambda: ha_resources.add(f"vm:{new.guest_id}", {"state": "started" if new.start else "stopped"}))
    if new.start:
        print("Execute autostart")
        # a failed start does not fail the creation
        _as_warning(lambda: start_machine(new.guest_id))


def _create_locked(new: NewMachine) -> None:
    config = GuestConfig(values=dict(new.values))
    values = config.values
    values["meta"] = new_meta()
    storages = load_storages()
    maker = DiskMaker(new.guest_id, GuestConfig(), storages, new.storage)
    try:
        values.update(maker.make(new.values))
        if not values.get("boot"):
            values["boot"] = print_boot_order(default_boot_order(values))
        if not values.get("smbios1"):
            values["smbios1"] = f"uuid={new_uuid()}"
        if str(values.get("vmgenid", "1")) == "1" and values.get("arch") != "aarch64":
            values["vmgenid"] = new_uuid()
        machine_type = pinned_machine(values)
        if machine_type:
            values["machine"] = machine_type
        if "tags" in values:
            values["tags"] = unique_tags(str(values["tags"]))
        QEMU.save(new.guest_id, config)
    except ApiError as error:
        maker.undo()
        raise ApiError(f"unable to create VM {new.guest_id} - {error.message}") from error
    if new.pool:
        pools.add_guest(new.pool, new.guest_id)


def complete_parameters(values: dict[str, object]) -> None:
    """Invent the addresses of network cards that came without."""
    for key in values:
        if key.startswith("net") and key[3:].isdigit():
            values[key] = complete_network_card(str(values[key]))


def pinned_machine(values: dict[str, object]) -> str | None:
    """Windows gets a fixed machine version, because it takes every other one for new hardware."""
    if not str(values.get("ostype", "")).startswith("w"):
        return None
    kind, _, rest = str(values.get("machine", "pc")).partition(",")
    version = QEMU_VERSION.rpartition(".")[0]
    fixed = {"pc": f"pc-i440fx-{version}", "q35": f"pc-q35-{version}"}.get(kind.removeprefix("type="))
    return None if fixed is None else ",".join(filter(None, [fixed, rest]))


@dataclass
class Removal:
    """What a destroy call asks for."""

    guest_id: int
    purge: bool = False
    skip_lock: bool = False
    destroy_unreferenced: bool = False


def assert_removable(removal: Removal) -> bool:
    """Refuse early what must not be removed; True when HA manages the guest."""
    config = QEMU.load(removal.guest_id)
    QEMU.assert_not_protected(config, f"can't remove VM {removal.guest_id}")
    ha_managed = ha_resources.is_configured(f"vm:{removal.guest_id}")
    if ha_managed and not removal.purge:
        raise ApiError(f"unable to remove VM {removal.guest_id} - used in HA resources and purge parameter not set.")
    if machine.is_running(removal.guest_id):
        # errno left over in the real program
        raise ApiError(f"VM {removal.guest_id} is running - destroy failed", exit_code=25)
    return ha_managed


def destroy_machine(removal: Removal) -> None:
    """The worker's part: volumes, then pools and HA, last the configuration."""
    with QEMU.lock(removal.guest_id):
        ha_managed = assert_removable(removal)
        config = QEMU.load(removal.guest_id)
        if not removal.skip_lock and config.values.get("lock") != "suspended":
            QEMU.assert_unlocked(config)
        storages = load_storages()
        if config.values.get("template"):
            _refuse_used_base(config, storages)
        _free_volumes(removal, config, storages)
        QEMU.save(removal.guest_id, GuestConfig(values={"lock": "destroyed"}))
        pools.remove_guest(removal.guest_id)
        if removal.purge:
            print(f"purging VM {removal.guest_id} from related configurations..")
            if ha_managed:
                ha_resources.remove(f"vm:{removal.guest_id}")
                print(f"NOTE: removed VM {removal.guest_id} from HA resource configuration.")
        QEMU.remove(removal.guest_id)


def _refuse_used_base(config: GuestConfig, storages: StorageList) -> None:
    for drive in drives_of(config.values):
        if not drive.is_cdrom and drive.storage and volumes.is_used_base(storages, drive.file):
            raise ApiError(f"base volume '{drive.file}' is still in use by linked cloned")


def _free_volumes(removal: Removal, config: GuestConfig, storages: StorageList) -> None:
    referenced = [
        drive.file
        for values in (config.values, config.pending)
        for drive in drives_of(values)
        if not drive.is_cdrom or drive.is_cloud_init
    ]
    referenced += [str(value) for key, value in config.values.items() if key.startswith("unused")]
    referenced += [
        str(values["vmstate"]) for values in (config.values, *config.snapshots.values()) if "vmstate" in values
    ]
    for volume_id in dict.fromkeys(referenced):
        if is_owner(storages, removal.guest_id, volume_id):
            _free_or_warn(storages, volume_id)
    if removal.destroy_unreferenced:
        for storage in storages.storages.values():
            if storage.kind.emulated and not storage.is_disabled and storage.is_on_node(settings.nodename()):
                for entry in volumes.list_images(storage, removal.guest_id):
                    _free_or_warn(storages, entry["volid"])


def _free_or_warn(storages: StorageList, volume_id: str) -> None:
    try:
        volumes.free(storages, volume_id)
    except ApiError as error:
        warn(f"Could not remove disk '{volume_id}', check manually: {error}")


def _as_warning(action: Callable[[], object]) -> None:
    try:
        action()
    except ApiError as error:
        print(error, file=sys.stderr)
