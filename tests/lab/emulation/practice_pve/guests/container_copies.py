# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers made of containers: clones, templates, and volumes on another storage."""

from __future__ import annotations

import re
from dataclasses import dataclass

from practice_pve.guests import container_process, pools
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.container_volumes import copy_volume, give_up, parse_mount, print_mount
from practice_pve.guests.containers import new_card
from practice_pve.guests.store import LXC, assert_free
from practice_pve.guests.tables.container_options import MOUNT_NAMES
from practice_pve.rest.errors import ApiError, NotEmulated
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages

_NOT_COPIED = ("template", "parent", "snaptime", "lock", "protection")


@dataclass
class Clone:
    """What a clone call asks for."""

    guest_id: int
    new_id: int
    hostname: str | None = None
    description: str | None = None
    pool: str | None = None
    snapshot: str | None = None
    storage: str | None = None
    full: bool | None = None


def check_clone(clone: Clone) -> None:
    """What is refused before the worker starts."""
    config = LXC.load(clone.guest_id)
    LXC.assert_unlocked(config)
    full = clone.full if clone.full is not None else not config.values.get("template")
    if clone.storage and not full:
        raise ApiError("parameter 'storage' not allowed for linked clones")
    if clone.snapshot and clone.snapshot not in config.snapshots:
        raise ApiError(f"snapshot '{clone.snapshot}' does not exist")
    if clone.snapshot:
        raise NotEmulated("cloning a snapshot of a container")
    if full and container_process.pid_of(clone.guest_id) is not None:
        raise ApiError("Full clone of a running container is only possible from a snapshot", exit_code=2)
    if not full:
        # containers cannot use the images that file storages put on top of others
        volume = parse_mount("rootfs", str(config.values["rootfs"]))["volume"]
        raise ApiError(f"Linked clone feature for '{volume}' is not available")
    assert_free(clone.new_id)


def clone_container(clone: Clone) -> None:
    """The worker; on failure nothing is left."""
    print(f"creating a clone of container {clone.guest_id} with ID {clone.new_id}", flush=True)
    LXC.create_locked(clone.new_id)
    try:
        with LXC.lock(clone.guest_id, timeout=1, shared=True), LXC.lock(clone.new_id, timeout=1):
            _copy(clone)
    except ApiError as error:
        LXC.remove(clone.new_id)
        raise ApiError(f"clone failed: {error.message}") from error


def _copy(clone: Clone) -> None:
    storages = load_storages()
    source = LXC.load(clone.guest_id)
    values = {
        key: value for key, value in source.values.items() if key not in _NOT_COPIED and not key.startswith("unused")
    }
    values["hostname"] = clone.hostname or f"Copy-of-CT-{source.values.get('hostname', clone.guest_id)}"
    if clone.description:
        values["description"] = clone.description
    for key in list(values):
        if key in MOUNT_NAMES:
            volume = parse_mount(key, str(values[key]))["volume"]
            print(f"create full clone of mountpoint {key} ({volume})", flush=True)
            values[key] = copy_volume(storages, key, str(values[key]), clone.new_id, clone.storage)
        elif re.fullmatch(r"net\d+", key):
            values[key] = new_card(str(values[key]))
    LXC.save(clone.new_id, GuestConfig(values=values))
    if clone.pool:
        pools.add_guest(clone.pool, clone.new_id)


def check_template(guest_id: int) -> None:
    """What cannot become a template."""
    config = LXC.load(guest_id)
    LXC.assert_unlocked(config)
    if config.snapshots:
        raise ApiError("unable to create template, because CT contains snapshots")
    if config.values.get("template"):
        raise ApiError("you can't convert a template to a template")
    if container_process.pid_of(guest_id) is not None:
        raise ApiError("you can't convert a CT to template if the CT is running")


def make_template(guest_id: int) -> None:
    """The worker: volumes become base volumes."""
    with LXC.lock(guest_id):
        check_template(guest_id)
        storages, config = load_storages(), LXC.load(guest_id)
        for key in [key for key in config.values if key in MOUNT_NAMES]:
            mount = parse_mount(key, str(config.values[key]))
            mount["volume"] = volumes.make_base(storages, str(mount["volume"]))
            config.values[key] = print_mount(key, mount)
        config.values["template"] = 1
        LXC.save(guest_id, config)


def check_move(guest_id: int, key: str) -> None:
    """What is refused before the worker starts."""
    config = LXC.load(guest_id)
    LXC.assert_unlocked(config)
    if key not in config.values:
        raise ApiError(f"volume '{key}' for container '{guest_id}' does not exist")
    if container_process.pid_of(guest_id) is not None:
        raise ApiError("cannot move volumes of a running container")


def move_volume(guest_id: int, key: str, storage: str, *, delete: bool) -> None:
    """The worker: copy, use the copy, give the old one up."""
    with LXC.lock(guest_id):
        check_move(guest_id, key)
        storages, config = load_storages(), LXC.load(guest_id)
        before = str(config.values[key])
        after = copy_volume(storages, key, before, guest_id, storage)
        give_up(storages, config, guest_id, key)
        config.values[key] = after
        if delete:
            old = str(parse_mount(key, before)["volume"])
            unused = next(name for name, value in config.values.items() if name.startswith("unused") and value == old)
            give_up(storages, config, guest_id, unused)
        LXC.save(guest_id, config)
