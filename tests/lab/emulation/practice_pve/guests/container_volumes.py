# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount points of containers: their volumes are made, grown, copied, moved and given up."""

from __future__ import annotations

import shutil

from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disks import add_unused, is_owner
from practice_pve.guests.formats import NEW_DISK
from practice_pve.guests.sizes import format_size, gigabytes_to_kilobytes, parse_size
from practice_pve.guests.tables.container_options import MOUNT_POINT, ROOT_FILE_SYSTEM
from practice_pve.guests.values import new_uuid
from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import parse_property_string, print_property_string
from practice_pve.storage import images, volumes
from practice_pve.storage.definitions import StorageList

_KIB = 1024
_BLOCK, _BLOCKS_PER_GROUP, _BYTES_PER_INODE = 4096, 32768, 16384
Mount = dict[str, object]


def parse_mount(key: str, text: str) -> Mount:
    """A mount point's parts; the root has no path of its own."""
    return parse_property_string(ROOT_FILE_SYSTEM if key == "rootfs" else MOUNT_POINT, text)


def print_mount(key: str, mount: Mount) -> str:
    """The text in the configuration."""
    return print_property_string(ROOT_FILE_SYSTEM if key == "rootfs" else MOUNT_POINT, mount)


def make_volume(storages: StorageList, guest_id: int, key: str, text: str, storage: str = "local") -> str:
    """`local:4` becomes a volume with a file system, `local:0` a directory; what names a volume stays as it is."""
    mount = parse_mount(key, text)
    match = NEW_DISK.fullmatch(str(mount["volume"]))
    if match is None:
        return text
    size = gigabytes_to_kilobytes(match[2]) * _KIB
    target = match[1] or storage
    if size:
        volume_id = volumes.allocate(storages, target, guest_id, "raw", size)
        print_file_system(size)
    else:
        volume_id = volumes.allocate(storages, target, guest_id, "subvol", 0)
    mount["volume"], mount["size"] = volume_id, format_size(size) if size else "0T"
    return print_mount(key, mount)


def print_file_system(size: int) -> None:
    """What mkfs.ext4 tells; nothing is written, for nobody mounts it here."""
    blocks = size // _BLOCK
    print(f"Creating filesystem with {blocks} 4k blocks and {size // _BYTES_PER_INODE} inodes")
    print(f"Filesystem UUID: {new_uuid()}")
    backups = [group * _BLOCKS_PER_GROUP for group in _backup_groups(blocks // _BLOCKS_PER_GROUP)]
    if backups:
        print("Superblock backups stored on blocks: ")
        print("\t" + ", ".join(str(block) for block in backups))


def _backup_groups(groups: int) -> list[int]:
    """Powers of 3, 5 and 7: the groups that hold a copy of the superblock."""
    found = {base**exponent for base in (3, 5, 7) for exponent in range(20)}
    return sorted(group for group in found if group < groups)


def grow(storages: StorageList, config: GuestConfig, guest_id: int, key: str, wanted: str) -> None:
    """Make a volume bigger; `+1G` is added, `4G` is the new size."""
    mount = parse_mount(key, str(config.values[key]))
    volume_id = str(mount["volume"])
    if not is_owner(storages, guest_id, volume_id):
        raise ApiError(f"can't resize mount point owned by another container ({volume_id})")
    info = volumes.assert_exists(storages, volume_id)
    amount = parse_size(wanted.removeprefix("+")) or 0
    size = info.size + amount if wanted.startswith("+") else amount
    if size < info.size:
        raise ApiError("unable to shrink disk size")
    if size == info.size:
        raise ApiError("disk is already at specified size")
    images.resize_image(volumes.path_of(storages, volume_id), info.format, size)
    mount["size"] = format_size(size)
    config.values[key] = print_mount(key, mount)


def copy_volume(storages: StorageList, key: str, text: str, guest_id: int, storage: str | None) -> str:
    """A full copy for another container, or on another storage."""
    mount = parse_mount(key, text)
    source = str(mount["volume"])
    info = volumes.assert_exists(storages, source)
    target = storage or source.partition(":")[0]
    volume_id = volumes.allocate(storages, target, guest_id, info.format, info.size)
    if info.format == "subvol":
        old, new = volumes.path_of(storages, source), volumes.path_of(storages, volume_id)
        shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
    else:
        print_file_system(info.size)
    mount["volume"] = volume_id
    return print_mount(key, mount)


def give_up(storages: StorageList, config: GuestConfig, guest_id: int, key: str) -> None:
    """A volume that is taken off its mount point is kept as unused."""
    text = str(config.values.pop(key))
    volume_id = text.partition(",")[0].removeprefix("volume=")
    if key.startswith("unused"):
        volumes.free(storages, volume_id)
    elif is_owner(storages, guest_id, volume_id):
        add_unused(config.values, volume_id)
