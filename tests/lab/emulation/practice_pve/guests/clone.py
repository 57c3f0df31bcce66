# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloning a virtual machine."""

from __future__ import annotations

from dataclasses import dataclass

from practice_pve.access import user_config
from practice_pve.guests import machine, pools
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disk_work import copy_drive
from practice_pve.guests.drives import Drive, drives_of
from practice_pve.guests.store import ENOENT, QEMU, guest_list
from practice_pve.guests.tables.machine_parts import NETWORK, SMBIOS
from practice_pve.guests.values import new_uuid, random_mac
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError, NotEmulated, ParameterErrors, PermissionDenied
from practice_pve.rest.verification import parse_property_string, print_property_string
from practice_pve.storage import volumes
from practice_pve.storage.definitions import StorageList, load_storages

_NOT_COPIED = ("parent", "snaptime", "vmstate", "runningcpu", "runningmachine", "running-nets-host-mtu", "template")


@dataclass
class Clone:
    """What a clone call asks for."""

    guest_id: int
    new_id: int
    name: str | None = None
    description: str | None = None
    pool: str | None = None
    snapshot: str | None = None
    storage: str | None = None
    format: str | None = None
    full: bool | None = None


@dataclass
class _Plan:
    values: dict[str, object]
    drives: list[Drive]
    full: bool


def check_clone(clone: Clone) -> _Plan:
    """Everything that can be refused, and what the clone will consist of."""
    if clone.pool is not None and clone.pool not in user_config.load().pools:
        error = PermissionDenied(f"pool '{clone.pool}' does not exist")
        error.exit_code = ENOENT
        raise error
    storages = load_storages()
    if clone.storage and "images" not in storages.find_enabled(clone.storage).content:
        raise ParameterErrors({"storage": f"storage '{clone.storage}' does not support vm images"})
    client.assert_quorum()
    config = QEMU.load(clone.guest_id)
    QEMU.assert_unlocked(config)
    if clone.snapshot and clone.snapshot not in config.snapshots:
        raise ApiError(f"snapshot '{clone.snapshot}' does not exist")
    full = clone.full if clone.full is not None else not config.values.get("template")
    if not full:
        for option, value in (("storage", clone.storage), ("format", clone.format)):
            if value is not None:
                raise ApiError(f"parameter '{option}' not allowed for linked clones", exit_code=ENOENT)
    if clone.snapshot:
        raise NotEmulated("cloning a snapshot")
    if client.read(QEMU.path(clone.new_id)) is not None:
        raise ApiError(f"unable to create VM {clone.new_id}: config file already exists", exit_code=ENOENT)
    return _plan(clone, config, storages, full=full)


def _plan(clone: Clone, config: GuestConfig, storages: StorageList, *, full: bool) -> _Plan:
    copied = [drive for drive in drives_of(config.values) if not drive.is_cdrom or drive.is_cloud_init]
    for drive in copied:
        is_base = drive.storage is not None and volumes.split(storages, drive.file)[1].is_base
        linked = not full and not drive.is_cloud_init and drive.name != "tpmstate0"
        if linked and not is_base:
            raise ApiError(f"Linked clone feature is not supported for '{drive.file}' ({drive.name})")
        if not linked and drive.storage is None:
            raise ApiError(f"Full clone feature is not supported for '{drive.file}' ({drive.name})")
    names = {drive.name for drive in copied}
    values = {
        key: value
        for key, value in config.values.items()
        if key not in _NOT_COPIED and key not in names and not key.startswith("unused")
    }
    for key in values:
        if key.startswith("net") and key[3:].isdigit():
            card = parse_property_string(NETWORK, str(values[key]))
            card["macaddr"] = random_mac()
            values[key] = print_property_string(NETWORK, card)
    smbios = parse_property_string(SMBIOS, str(values.get("smbios1", "")))
    smbios["uuid"] = new_uuid()
    values["smbios1"] = print_property_string(SMBIOS, smbios)
    if values.get("vmgenid"):
        values["vmgenid"] = new_uuid()
    values["name"] = clone.name or f"Copy-of-VM-{config.values.get('name', clone.guest_id)}"
    if clone.description:
        values["description"] = clone.description
    return _Plan(values, copied, full)


def clone_machine(clone: Clone) -> None:
    """The worker: source and target stay locked, both waited for one second only."""
    running = machine.is_running(clone.guest_id)
    with QEMU.lock(clone.guest_id, timeout=1, shared=not running), QEMU.lock(clone.new_id, timeout=1):
        plan = check_clone(clone)
        print(f"creating a clone of VM {clone.guest_id} with ID {clone.new_id}", flush=True)
        if clone.new_id in guest_list():
            node = guest_list()[clone.new_id]["node"]
            path = f"/etc/pve/{QEMU.path(clone.new_id)}"
            raise ApiError(f"unable to open file '{path}' - File exists ({node})")
        client.write(QEMU.path(clone.new_id), "# qmclone temporary file\nlock: clone\n")
        try:
            _copy_all(clone, plan, running=running)
        except ApiError as error:
            QEMU.remove(clone.new_id)
            raise ApiError(f"clone failed: {error.message}") from error


def _copy_all(clone: Clone, plan: _Plan, *, running: bool) -> None:
    storages = load_storages()
    config = GuestConfig(values={**plan.values, "lock": "clone"})
    made: list[str] = []
    try:
        for drive in sorted(plan.drives, key=lambda drive: drive.name):
            linked = not plan.full and not drive.is_cloud_init and drive.name != "tpmstate0"
            if linked:
                print(f"create linked clone of drive {drive.name} ({drive.file})", flush=True)
                new = Drive(
                    drive.name, volumes.clone_linked(storages, drive.file, clone.new_id), drive.size, drive.options
                )
            else:
                new = copy_drive(storages, drive, clone.new_id, clone.storage, clone.format, running=running)
            made.append(new.file)
            config.values[drive.name] = new.text()
            QEMU.save(clone.new_id, config)
    except ApiError:
        for volume_id in made:
            volumes.free(storages, volume_id)
        raise
    del config.values["lock"]
    QEMU.save(clone.new_id, config)
    if clone.pool:
        pools.add_guest(clone.pool, clone.new_id)
