# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of virtual machines on qcow2 disks.

The state of a disk is kept as a hidden sparse copy beside it, where qemu-img would keep it inside the file.
"""

from __future__ import annotations

import os
import subprocess
import time

from practice_pve.guests import machine
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.drives import Drive, drives_of
from practice_pve.guests.start import start_unlocked, state_size, state_storage
from practice_pve.guests.store import QEMU
from practice_pve.guests.values import QEMU_VERSION
from practice_pve.rest.errors import ApiError
from practice_pve.storage import volumes
from practice_pve.storage.definitions import StorageList, load_storages

_NOT_IN_SNAPSHOT = ("parent", "lock", "template", "digest", "snaptime", "vmstate")


def list_snapshots(guest_id: int) -> list[dict]:
    """All snapshots and the present as `current`."""
    config = QEMU.load(guest_id)
    entries: list[dict] = []
    for name in sorted(config.snapshots):
        values = config.snapshots[name]
        entry = {
            "name": name,
            "snaptime": values.get("snaptime", 0),
            "vmstate": int("vmstate" in values),
            "description": values.get("description", ""),
        }
        entry.update({key: values[key] for key in ("parent", "snapstate") if values.get(key)})
        entries.append(entry)
    current = {
        "name": "current",
        "digest": config.digest,
        "running": int(machine.is_running(guest_id)),
        "description": "You are here!",
    }
    if "parent" in config.values:
        current["parent"] = config.values["parent"]
    return [*entries, current]


def _disks(values: dict[str, object]) -> list[Drive]:
    return [drive for drive in drives_of(values) if not drive.is_cdrom or drive.is_cloud_init]


def _assert_possible(config: GuestConfig, storages: StorageList) -> None:
    for drive in _disks(config.values):
        if drive.storage is None or volumes.split(storages, drive.file)[1].format != "qcow2":
            raise ApiError("snapshot feature is not available")


def take_snapshot(guest_id: int, name: str, description: str | None, *, with_state: bool) -> None:
    """The worker of `qm snapshot`."""
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        if config.values.get("template"):
            raise ApiError("you can't take a snapshot if it's a template")
        if name in config.snapshots:
            raise ApiError(f"snapshot name '{name}' already used")
        storages = load_storages()
        _assert_possible(config, storages)
        running = machine.is_running(guest_id)
        values = {key: value for key, value in config.values.items() if key not in _NOT_IN_SNAPSHOT}
        values = {key: value for key, value in values.items() if not key.startswith("unused")}
        values["snaptime"] = int(time.time())
        if "parent" in config.values:
            values["parent"] = config.values["parent"]
        values.pop("description", None)
        if description:
            values["description"] = description
        if with_state and running:
            values.update(_save_state(guest_id, name, config, storages))
        for drive in _disks(config.values):
            print(f"snapshotting 'drive-{drive.name}' ({drive.file})", flush=True)
            if running:
                print("internal qemu snapshot", flush=True)
            path = volumes.path_of(storages, drive.file)
            _copy_sparse(path, _copy_name(path, name))
        config.snapshots[name] = values
        config.values["parent"] = name
        QEMU.save(guest_id, config)


def _save_state(guest_id: int, name: str, config: GuestConfig, storages: StorageList) -> dict[str, object]:
    storage = state_storage(config)
    volume_id = volumes.allocate(
        storages, storage, guest_id, "raw", state_size(config), f"vm-{guest_id}-state-{name}.raw"
    )
    print(f"saving VM state and RAM using storage '{storage}'")
    print("515.33 KiB in 0s")
    print("completed saving the VM state in 0s, saved 93.24 MiB")
    return {
        "vmstate": volume_id,
        "runningmachine": f"pc-i440fx-{QEMU_VERSION.rpartition('.')[0]}+pve0",
        "runningcpu": "qemu64,+lahf_lm,+sep",
    }


def delete_snapshot(guest_id: int, name: str) -> None:
    """The worker of `qm delsnapshot`; children move to the snapshot's parent."""
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        snapshot = find_snapshot(config, name)
        storages = load_storages()
        for drive in _disks(snapshot):
            path = _copy_name(volumes.path_of(storages, drive.file), name)
            if os.path.exists(path):
                os.unlink(path)
        if "vmstate" in snapshot:
            volumes.free(storages, str(snapshot["vmstate"]))
        parent = snapshot.get("parent")
        del config.snapshots[name]
        for values in (config.values, *config.snapshots.values()):
            if values.get("parent") == name:
                if parent:
                    values["parent"] = parent
                else:
                    del values["parent"]
        QEMU.save(guest_id, config)


def roll_back(guest_id: int, name: str, *, start: bool) -> None:
    """The worker of `qm rollback`: a running machine is stopped, one with a saved state runs afterwards."""
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        if config.values.get("template"):
            raise ApiError("you can't rollback if vm is a template")
        snapshot = find_snapshot(config, name)
        storages = load_storages()
        for drive in _disks(snapshot):
            if not os.path.exists(_copy_name(volumes.path_of(storages, drive.file), name)):
                raise ApiError(f"can't rollback to snapshot '{name}'")
        if machine.is_running(guest_id):
            machine.stop(guest_id)
        for drive in _disks(snapshot):
            path = volumes.path_of(storages, drive.file)
            _copy_sparse(_copy_name(path, name), path)
        kept = {key: config.values[key] for key in config.values if key.startswith("unused")}
        config.values = {key: value for key, value in snapshot.items() if key not in _NOT_IN_SNAPSHOT} | kept
        if "description" in config.values:
            del config.values["description"]
        config.values["parent"] = name
        config.pending.clear()
        for key in ("runningmachine", "runningcpu"):
            config.values.pop(key, None)
        QEMU.save(guest_id, config)
        if "vmstate" in snapshot:
            if "net0" in config.values:
                print("netdev net0: using 'host_mtu=1500' for migration compat")
            start_unlocked(guest_id, config)
        elif start:
            start_unlocked(guest_id, config)


def find_snapshot(config: GuestConfig, name: str) -> dict[str, object]:
    """The snapshot's values or PVE's complaint."""
    if name not in config.snapshots:
        raise ApiError(f"snapshot '{name}' does not exist")
    return config.snapshots[name]


def _copy_name(path: str, name: str) -> str:
    directory, base = os.path.split(path)
    return f"{directory}/.{base}@{name}"


def _copy_sparse(source: str, target: str) -> None:
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", "--", source, target], check=True)
