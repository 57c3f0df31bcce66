# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, changing and destroying containers."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from practice_pve.guests import pools
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.container_volumes import give_up, grow, make_volume, parse_mount
from practice_pve.guests.disks import is_owner
from practice_pve.guests.pending import apply_to_view
from practice_pve.guests.store import LXC
from practice_pve.guests.tables.container_options import MOUNT_NAMES, NETWORK
from practice_pve.guests.values import random_mac, unique_tags
from practice_pve.ha import resources as ha_resources
from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import parse_property_string, print_property_string
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages

_OS_TYPES = ("debian", "devuan", "ubuntu", "centos", "fedora", "opensuse", "archlinux", "alpine", "gentoo", "nixos")


@dataclass
class NewContainer:
    """What a create call asks for."""

    guest_id: int
    values: dict[str, object]
    template: str
    storage: str
    pool: str | None = None


def create_container(new: NewContainer) -> None:
    """The worker's part; on failure nothing is left."""
    try:
        with LXC.lock(new.guest_id):
            _create_locked(new)
    except ApiError as error:
        LXC.remove(new.guest_id)
        raise ApiError(f"unable to create CT {new.guest_id} - {error.message}") from error


def _create_locked(new: NewContainer) -> None:
    storages = load_storages()
    try:
        volumes.assert_exists(storages, new.template)
    except ApiError as error:
        # printed by the first reader of the archive, raised by the second
        print(error)
        raise
    values = dict(new.values)
    values.setdefault("rootfs", f"{new.storage}:4")
    for key in [key for key in values if key in MOUNT_NAMES]:
        values[key] = make_volume(storages, new.guest_id, key, str(values[key]), new.storage)
    archive = volumes.path_of(storages, new.template)
    print(f"extracting archive '{archive}'", flush=True)
    root = volumes.path_of(storages, str(parse_mount("rootfs", str(values["rootfs"]))["volume"]))
    if os.path.isdir(root):
        _extract(archive, root)
    else:
        with tempfile.TemporaryDirectory() as mounted:  # stands for the image, which nobody mounts here
            _extract(archive, mounted)
    print("Detected container architecture: amd64")
    _complete(values, archive)
    LXC.save(new.guest_id, GuestConfig(values=values))
    if new.pool:
        pools.add_guest(new.pool, new.guest_id)


def _extract(archive: str, directory: str) -> None:
    """Unpack the template as PVE does; tar counts the bytes on stderr."""
    result = subprocess.run(
        ["tar", "xpf", archive, "--totals", "--numeric-owner", "--skip-old-files", "-C", directory], check=False
    )
    if result.returncode:
        raise ApiError(f"command 'tar xpf - ... -C {directory}' failed: exit code {result.returncode}")


def _complete(values: dict[str, object], archive: str) -> None:
    values.setdefault("arch", "amd64")
    values.setdefault("memory", 512)
    values.setdefault("swap", 512)
    name = archive.rpartition("/")[2]
    values.setdefault("ostype", next((kind for kind in _OS_TYPES if name.startswith(kind)), "unmanaged"))
    if not values.get("unprivileged"):
        values.pop("unprivileged", None)
    for key in [key for key in values if re.fullmatch(r"net\d+", key)]:
        values[key] = complete_card(str(values[key]))
    if "tags" in values:
        values["tags"] = unique_tags(str(values["tags"]))


def complete_card(text: str) -> str:
    """A card as PVE stores it: name first, address and type added."""
    card = parse_property_string(NETWORK, text)
    card.setdefault("hwaddr", random_mac())
    card["type"] = "veth"
    return print_property_string(NETWORK, card)


def new_card(text: str) -> str:
    """The card of a clone: with an address of its own."""
    card = parse_property_string(NETWORK, text)
    card.pop("hwaddr", None)
    return complete_card(print_property_string(NETWORK, card))


def update_container(
    guest_id: int, values: Mapping[str, object], delete: list[str], revert: list[str], digest: str | None
) -> None:
    """Change the configuration; everything applies at once, also to a running container."""
    with LXC.lock(guest_id):
        config = LXC.load(guest_id)
        if digest and digest != config.digest:
            raise ApiError("checksum mismatch (file change by other user?)")
        LXC.assert_unlocked(config)
        for key in revert:
            config.pending.pop(key, None)
        config.values = apply_to_view(config)
        config.pending.clear()
        for key in delete:
            if key == "rootfs":
                raise ApiError("unable to delete required option 'rootfs'")
            if (key in MOUNT_NAMES or key.startswith("unused")) and key in config.values:
                give_up(load_storages(), config, guest_id, key)
            config.values.pop(key, None)
        for key, value in values.items():
            if key in MOUNT_NAMES:
                _set_mount(config, guest_id, key, str(value))
                continue
            is_card = re.fullmatch(r"net\d+", key) is not None
            config.values[key] = complete_card(str(value)) if is_card else value
            if key == "tags":
                config.values[key] = unique_tags(str(value))
        LXC.save(guest_id, config)


def _set_mount(config: GuestConfig, guest_id: int, key: str, text: str) -> None:
    """A new volume, or other options of the one that is there; what was there before is kept as unused."""
    before = config.values.get(key)
    value = make_volume(load_storages(), guest_id, key, text)
    if before is not None and parse_mount(key, str(before))["volume"] != parse_mount(key, value)["volume"]:
        give_up(load_storages(), config, guest_id, key)
    for unused in [name for name in config.values if name.startswith("unused")]:
        if config.values[unused] == parse_mount(key, value)["volume"]:
            del config.values[unused]
    config.values[key] = value


def resize_container(guest_id: int, key: str, size: str, digest: str | None) -> None:
    """The worker's part."""
    with LXC.lock(guest_id):
        config = LXC.load(guest_id)
        LXC.assert_unlocked(config)
        if digest and digest != config.digest:
            raise ApiError("checksum mismatch (file change by other user?)")
        if key not in config.values:
            raise ApiError(f"mount point '{key}' does not exist")
        grow(load_storages(), config, guest_id, key, size)
        LXC.save(guest_id, config)


def assert_removable(guest_id: int, *, purge: bool) -> bool:
    """Refuse early what must not be removed; True when HA manages the container."""
    config = LXC.load(guest_id)
    LXC.assert_unlocked(config)
    LXC.assert_not_protected(config, f"can't remove CT {guest_id}")
    ha_managed = ha_resources.is_configured(f"ct:{guest_id}")
    if ha_managed and not purge:
        raise ApiError(f"unable to remove CT {guest_id} - used in HA resources and purge parameter not set.")
    return ha_managed


def destroy_container(guest_id: int, *, purge: bool) -> None:
    """The worker's part."""
    with LXC.lock(guest_id):
        ha_managed = assert_removable(guest_id, purge=purge)
        config = LXC.load(guest_id)
        storages = load_storages()
        for key, value in config.values.items():
            if key in MOUNT_NAMES or key.startswith("unused"):
                volume = str(value).partition(",")[0].removeprefix("volume=")
                if is_owner(storages, guest_id, volume):
                    volumes.free(storages, volume)
        pools.remove_guest(guest_id)
        if purge:
            print(f"purging CT {guest_id} from related configurations..")
            if ha_managed:
                ha_resources.remove(f"ct:{guest_id}")
                print(f"NOTE: removed CT {guest_id} from HA resource configuration.")
        LXC.remove(guest_id)
