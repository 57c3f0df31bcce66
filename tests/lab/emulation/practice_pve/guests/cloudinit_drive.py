# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud-init drive itself: an ISO image of kind NoCloud in the drive's volume."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from practice_pve.guests import cloudinit
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.drives import drives_of
from practice_pve.guests.tables.machine_parts import CUSTOM_CLOUD_INIT
from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import parse_property_string
from practice_pve.storage import qcow2, volumes
from practice_pve.storage.definitions import StorageList, load_storages
from practice_pve.storage.images import ImageInfo

_LABEL = "cidata"
_MOST_BYTES = 3 * 1024 * 1024


def write(guest_id: int, config: GuestConfig) -> bool:
    """Write what the guest shall be told; False when there is no drive for it."""
    drive = next((drive for drive in drives_of(config.values) if drive.is_cloud_init), None)
    if drive is None:
        return False
    storages = load_storages()
    files = _files(guest_id, config, storages)
    if sum(len(text) for text in files.values()) > _MOST_BYTES:
        raise ApiError("Cloud-Init sum of snippets too big (> 3 MiB)")
    print("generating cloud-init ISO")
    # Only a node with real guests has somebody who reads it, and the program that makes it.
    if shutil.which("genisoimage"):
        _fill(volumes.path_of(storages, drive.file), volumes.assert_exists(storages, drive.file), _image(files))
    config.special.pop("cloudinit", None)
    return True


def _files(guest_id: int, config: GuestConfig, storages: StorageList) -> dict[str, str]:
    custom = _custom_files(config, storages)
    user = custom.get("user", cloudinit.dump(config, guest_id, "user"))
    network = custom.get("network", cloudinit.dump(config, guest_id, "network"))
    return {
        "user-data": user,
        "network-config": network,
        "meta-data": custom.get("meta", cloudinit.meta_data(user, network)),
        "vendor-data": custom.get("vendor", ""),
    }


def _custom_files(config: GuestConfig, storages: StorageList) -> dict[str, str]:
    custom = config.values.get("cicustom")
    if not custom:
        return {}
    named = parse_property_string(CUSTOM_CLOUD_INIT, str(custom))
    return {kind: Path(volumes.path_of(storages, volume)).read_text() for kind, volume in named.items()}


def _image(files: dict[str, str]) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            Path(directory, name).write_text(text)
        command = ["genisoimage", "-quiet", "-iso-level", "3", "-J", "-R", "-V", _LABEL, directory]
        return subprocess.run(command, capture_output=True, check=True).stdout


def _fill(path: str, info: ImageInfo, image: bytes) -> None:
    if info.format == "qcow2":
        qcow2.write(path, info.size, lambda put: put(0, image))
    else:
        with open(path, "r+b") as stream:
            stream.write(image)
