# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving a virtual machine to another node of the cluster."""

from __future__ import annotations

import os
import shlex
import subprocess
import time

from practice_pve.guests.drives import drives_of
from practice_pve.guests.store import QEMU
from practice_pve.pmxcfs.paths import MOUNT_POINT
from practice_pve.rest.errors import ApiError, NotEmulated
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages


def _log(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def _duration(start: float) -> str:
    seconds = round(time.monotonic() - start)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def refuse_live(guest_id: int, target: str, address: str, *, with_disks: bool) -> None:
    """A running machine with local disks stays when nobody said that they may be copied; else it is beyond us."""
    start = time.monotonic()
    config = QEMU.load(guest_id)
    storages = load_storages()
    local = [
        drive
        for drive in drives_of(config.values)
        if drive.storage and not storages.find(drive.storage).is_shared and not drive.is_cdrom
    ]
    if not local or with_disks:
        raise NotEmulated("live migration")
    _log("conntrack state migration not supported or disabled, active connections might get dropped")
    _log(f"starting migration of VM {guest_id} to node '{target}' ({address})")
    for drive in local:
        _log(f"found local disk '{drive.file}' (attached)")
    for drive in local:
        _log(
            f"can't migrate local disk '{drive.file}': can't live migrate attached local disks without"
            " with-local-disks option"
        )
    reason = "Problem found while scanning volumes - can't migrate VM - check log"
    _log(f"ERROR: {reason}")
    _log("aborting phase 1 - cleanup resources")
    _log(f"ERROR: migration aborted (duration {_duration(start)}): {reason}")
    raise ApiError("migration aborted")


def migrate_stopped(guest_id: int, target: str, address: str) -> None:
    """Copy local disks over SSH, then rename the configuration into the other node's directory."""
    start = time.monotonic()
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        _log(f"starting migration of VM {guest_id} to node '{target}' ({address})")
        storages = load_storages()
        local = [
            drive for drive in drives_of(config.values) if drive.storage and not storages.find(drive.storage).is_shared
        ]
        for drive in local:
            _log(f"found local disk '{drive.file}' (attached)")
        if local:
            _log("copying local disk images")
        for drive in local:
            _copy(volumes.path_of(storages, drive.file), target, address)
            _log(f"volume '{drive.file}' is '{drive.file}' on the target")
        source = f"{MOUNT_POINT}/{QEMU.path(guest_id)}"
        try:
            os.rename(source, f"{MOUNT_POINT}/{QEMU.path(guest_id, target)}")
        except OSError as error:
            raise ApiError(f"Failed to move config to node '{target}' - rename failed: {error.strerror}") from error
        for drive in local:
            volumes.free(storages, drive.file)
        _log(f"migration finished successfully (duration {_duration(start)})")


def _copy(path: str, target: str, address: str) -> None:
    directory = os.path.dirname(path)
    known = f"{MOUNT_POINT}/nodes/{target}/ssh_known_hosts"
    ssh = [
        "/usr/bin/ssh", "-e", "none", "-o", "BatchMode=yes", "-o", f"HostKeyAlias={target}", "-o",
        f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=none", f"root@{address}",
    ]  # fmt: skip
    unpack = f"mkdir -p {shlex.quote(directory)} && tar -xSf - -C {shlex.quote(directory)}"
    with subprocess.Popen(
        ["tar", "-cSf", "-", "-C", directory, os.path.basename(path)], stdout=subprocess.PIPE
    ) as packer:
        result = subprocess.run([*ssh, unpack], stdin=packer.stdout, check=False)
    if result.returncode or packer.returncode:
        raise ApiError("migration aborted")
