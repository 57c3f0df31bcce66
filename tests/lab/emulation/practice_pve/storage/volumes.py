# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of file storages: paths, allocation, removal, listing."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from practice_pve.guests.formats import split_volume_id
from practice_pve.guests.locks import file_lock
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError, NotEmulated
from practice_pve.storage import images
from practice_pve.storage.definitions import Storage, StorageList, make_directories
from practice_pve.storage.names import VolumeName, parse_volume_name
from practice_pve.storage.network_file_system import is_online

_DISK_NUMBER = re.compile(r"(?:vm|base|subvol|basevol)-(\d+)-disk-(\d+)\..*")


def split(storages: StorageList, volume_id: str) -> tuple[Storage, VolumeName]:
    """Storage and parsed name of a volume id."""
    parts = split_volume_id(volume_id)
    if parts is None:
        raise ApiError(f"unable to parse volume ID '{volume_id}'")
    storage = storages.find(parts[0])
    _assert_emulated(storage)
    return storage, parse_volume_name(parts[1])


def path_of(storages: StorageList, volume_id: str) -> str:
    """Where the volume's file is (or would be)."""
    if volume_id.startswith("/"):
        return volume_id
    storage, name = split(storages, volume_id)
    directory = storage.directory(name.content)
    return f"{directory}/{name.owner}/{name.name}" if name.content == "images" else f"{directory}/{name.name}"


def info_of(storages: StorageList, volume_id: str) -> images.ImageInfo | None:
    """What is known of the volume's file, None when it does not exist."""
    path = path_of(storages, volume_id)
    if not os.path.exists(path):
        return None
    image_format = None if volume_id.startswith("/") else split(storages, volume_id)[1].format
    known = image_format if image_format in ("raw", "qcow2", "vmdk") else None
    return images.read_info(path, known)


def assert_exists(storages: StorageList, volume_id: str) -> images.ImageInfo:
    """The volume's information or PVE's complaint."""
    info = info_of(storages, volume_id)
    if info is None:
        raise ApiError(f"volume '{volume_id}' does not exist")
    return info


def activate(storage: Storage) -> None:
    """Make a storage usable: its directories exist afterwards."""
    if storage.type == "lvm":
        return  # nobody misses a volume group before its volumes are asked for
    if storage.type == "lvmthin":
        raise ApiError(f"no such logical volume {storage.values['vgname']}/{storage.values['thinpool']}")
    _assert_emulated(storage)
    if storage.type == "nfs" and not is_online(storage.values["server"], storage.values.get("options", "")):
        # A server that answers is mounted by a real node. Here the directory at the mount point stands for the mount.
        raise ApiError(f"storage '{storage.name}' is not online", exit_code=1)
    make_directories(storage)


def allocate(
    storages: StorageList, storage_name: str, owner: int, image_format: str | None, size: int, name: str | None = None
) -> str:
    """Make an empty volume of `size` bytes and return its id."""
    storage = storages.find_enabled(storage_name)
    _assert_emulated(storage)
    wanted = image_format or storage.default_format
    activate(storage)
    with _storage_lock(storage):
        directory = f"{storage.directory('images')}/{owner}"
        os.makedirs(directory, exist_ok=True)
        chosen = name or free_disk_name(storage, owner, wanted)
        found = parse_volume_name(f"{owner}/{chosen}").format
        if found != wanted:
            raise ApiError(f"illegal name '{chosen}' - wrong extension for format ('{found} != '{wanted}')")
        path = f"{directory}/{chosen}"
        if os.path.exists(path):
            # errno left over in the real program: ENOTTY from opening the lock file
            raise ApiError(f"disk image '{path}' already exists", exit_code=25)
        with _narrow_umask():
            if wanted == "subvol":
                if size:
                    raise ApiError("storage does not support subvol quotas")
                os.mkdir(path, 0o755)
            else:
                images.create_image(path, wanted, size)
    return f"{storage_name}:{owner}/{chosen}"


def clone_linked(storages: StorageList, base_id: str, owner: int) -> str:
    """Make an overlay over a template's disk and return its id."""
    storage, base = split(storages, base_id)
    if not base.is_base:
        raise ApiError("clone_image only works on base images")
    with _storage_lock(storage):
        directory = f"{storage.directory('images')}/{owner}"
        os.makedirs(directory, exist_ok=True)
        name = free_disk_name(storage, owner, "qcow2")
        below = f"../{base.owner}/{base.name}"
        print(
            f"clone {base_id.split(':', 1)[1]}: images, {name}, {owner} to {name} (base={below})",
            file=sys.stderr,
        )
        sys.stderr.flush()
        size = assert_exists(storages, base_id).size
        images.create_linked_image(f"{directory}/{name}", below, base.format, size)
    return f"{storage.name}:{base.owner}/{base.name}/{owner}/{name}"


def free(storages: StorageList, volume_id: str) -> None:
    """Remove a volume; a missing file is only worth a line on stderr."""
    storage, name = split(storages, volume_id)
    activate(storage)
    with _storage_lock(storage):
        if is_used_base(storages, volume_id):
            raise ApiError(f"base volume '{volume_id.split(':', 1)[1]}' is still in use by linked clones")
        path = path_of(storages, volume_id)
        if name.format == "subvol":
            shutil.rmtree(path, ignore_errors=True)
        elif not os.path.lexists(path):
            print(f"disk image '{path}' does not exist", file=sys.stderr)
            return
        else:
            os.unlink(path)
            for copy in Path(path).parent.glob(f".{name.name}@*"):
                copy.unlink()
        if name.content == "images":
            _remove_if_empty(os.path.dirname(path))


def make_base(storages: StorageList, volume_id: str) -> str:
    """Turn a disk into a template's disk: renamed and read-only."""
    storage, name = split(storages, volume_id)
    if name.is_base:
        raise ApiError("create_base not possible with base image")
    new_name = re.sub("^vm-", "base-", name.name)
    path = path_of(storages, volume_id)
    new_path = f"{os.path.dirname(path)}/{new_name}"
    if os.path.isfile(new_path):
        raise ApiError(f"file '{new_path}' already exists")
    os.rename(path, new_path)
    os.chmod(new_path, 0o444)
    prefix = f"{name.base_owner}/{name.base_name}/" if name.base_name else ""
    return f"{storage.name}:{prefix}{name.owner}/{new_name}"


def is_used_base(storages: StorageList, volume_id: str) -> bool:
    """True when an overlay still stands on this template's disk."""
    storage, name = split(storages, volume_id)
    if not name.is_base:
        return False
    return any(
        (other := parse_volume_name(entry["volid"].split(":", 1)[1])).base_name == name.name
        and other.base_owner == name.owner
        for entry in list_images(storage)
    )


def free_disk_name(storage: Storage, owner: int, image_format: str) -> str:
    """vm-ID-disk-N with the smallest free N, whatever the format of the others."""
    taken = set()
    directory = Path(f"{storage.directory('images')}/{owner}")
    if directory.is_dir():
        for entry in directory.iterdir():
            match = _DISK_NUMBER.fullmatch(entry.name)
            if match and int(match[1]) == owner:
                taken.add(int(match[2]))
    number = next(number for number in range(1024) if number not in taken)
    prefix = "subvol" if image_format == "subvol" else "vm"
    return f"{prefix}-{owner}-disk-{number}.{image_format}"


def list_images(storage: Storage, owner: int | None = None) -> list[dict]:
    """Every disk on the storage as the content API shows it."""
    found = []
    root = Path(storage.directory("images"))
    if not root.is_dir():
        return []
    for directory in sorted(root.iterdir()):
        if not re.fullmatch(r"\d\d+", directory.name) or (owner is not None and int(directory.name) != owner):
            continue
        for entry in sorted(directory.iterdir()):
            match = re.fullmatch(r"[^\s]+\.(raw|qcow2|vmdk|subvol)", entry.name)
            if not match:
                continue
            info = images.read_info(str(entry), match[1] if match[1] != "subvol" else None)
            base = re.fullmatch(r"\.\./(\d+)/([^/]+)", info.parent or "")
            prefix = f"{base[1]}/{base[2]}/" if base else ""
            found.append(
                {
                    "volid": f"{storage.name}:{prefix}{directory.name}/{entry.name}",
                    "format": match[1],
                    "size": info.size,
                    "used": info.used,
                    "parent": info.parent,
                    "ctime": info.changed,
                    "vmid": int(directory.name),
                }
            )
    return found


def rename_owner(storages: StorageList, volume_id: str, owner: int) -> str:
    """Give a volume to another guest under a free name."""
    storage, name = split(storages, volume_id)
    directory = f"{storage.directory('images')}/{owner}"
    os.makedirs(directory, exist_ok=True)
    new_name = free_disk_name(storage, owner, name.format)
    old_path = path_of(storages, volume_id)
    os.rename(old_path, f"{directory}/{new_name}")
    _remove_if_empty(os.path.dirname(old_path))
    prefix = f"{name.base_owner}/{name.base_name}/" if name.base_name else ""
    return f"{storage.name}:{prefix}{owner}/{new_name}"


@contextmanager
def _storage_lock(storage: Storage) -> Iterator[None]:
    """Cluster-wide for shared storages, else a file as PVE has it."""
    if storage.is_shared:
        with client.cfs_lock(f"storage-{storage.name}", timeout=60):
            yield
    else:
        with file_lock(f"/var/lock/pve-manager/pve-storage-{storage.name}", timeout=60):
            yield


@contextmanager
def _narrow_umask() -> Iterator[None]:
    before = os.umask(0o037)
    try:
        yield
    finally:
        os.umask(before)


def _remove_if_empty(directory: str) -> None:
    if not os.listdir(directory):
        os.rmdir(directory)


def _assert_emulated(storage: Storage) -> None:
    if not storage.kind.emulated:
        raise NotEmulated(f"volumes of a storage of type '{storage.type}'")
