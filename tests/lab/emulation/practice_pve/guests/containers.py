# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, changing and destroying containers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from practice_pve.guests import pools
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disks import is_owner
from practice_pve.guests.formats import NEW_DISK
from practice_pve.guests.pending import apply_to_view
from practice_pve.guests.store import LXC
from practice_pve.guests.tables.container_options import MOUNT_NAMES, MOUNT_POINT, NETWORK
from practice_pve.guests.values import random_mac, unique_tags
from practice_pve.ha import resources as ha_resources
from practice_pve.rest.errors import ApiError, NotEmulated
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
    except NotEmulated:
        LXC.remove(new.guest_id)
        raise


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
        mount = parse_property_string(MOUNT_POINT, f"{values[key]},mp=/")
        match = NEW_DISK.fullmatch(str(mount["volume"]))
        if match is None:
            continue
        if float(match[2]):
            raise NotEmulated("a container's file system in an image (loop devices)")
        volume_id = volumes.allocate(storages, match[1] or new.storage, new.guest_id, "subvol", 0)
        mount["volume"], mount["size"] = volume_id, "0T"
        skipped = ("mp",) if key == "rootfs" else ()
        values[key] = print_property_string(MOUNT_POINT, mount, skipped)
    archive = volumes.path_of(storages, new.template)
    print(f"extracting archive '{archive}'", flush=True)
    rootfs = parse_property_string(MOUNT_POINT, f"{values['rootfs']},mp=/")
    _extract(archive, volumes.path_of(storages, str(rootfs["volume"])))
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


def update_container(
    guest_id: int, values: Mapping[str, object], delete: list[str], revert: list[str], digest: str | None
) -> None:
    """Change the configuration; no container runs here, so everything applies at once."""
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
            if key in MOUNT_NAMES or key.startswith("unused"):
                raise NotEmulated(f"pct set --delete {key}")
            config.values.pop(key, None)
        for key, value in values.items():
            if key in MOUNT_NAMES:
                raise NotEmulated(f"pct set --{key}")
            is_card = re.fullmatch(r"net\d+", key) is not None
            config.values[key] = complete_card(str(value)) if is_card else value
            if key == "tags":
                config.values[key] = unique_tags(str(value))
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
