# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving a virtual machine to another node of the cluster."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from typing import NoReturn

from practice_pve.guests import machine
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.drives import Drive, drives_of
from practice_pve.guests.sizes import format_human
from practice_pve.guests.store import QEMU
from practice_pve.pmxcfs.paths import MOUNT_POINT
from practice_pve.rest.errors import ApiError
from practice_pve.storage import volumes
from practice_pve.storage.definitions import StorageList, load_storages


def _log(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def _duration(start: float) -> str:
    seconds = round(time.monotonic() - start)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _local_drives(config: GuestConfig, storages: StorageList) -> list[Drive]:
    return [
        drive
        for drive in drives_of(config.values)
        if drive.storage and not storages.find(drive.storage).is_shared and (not drive.is_cdrom or drive.is_cloud_init)
    ]


def migrate_stopped(guest_id: int, target: str, address: str) -> None:
    """Copy local disks over SSH, then rename the configuration into the other node's directory."""
    start = time.monotonic()
    with QEMU.lock(guest_id):
        config, storages = QEMU.load(guest_id), load_storages()
        QEMU.assert_unlocked(config)
        _log(f"starting migration of VM {guest_id} to node '{target}' ({address})")
        local = _local_drives(config, storages)
        for drive in local:
            _log(f"found local disk '{drive.file}' (attached)")
        if local:
            _log("copying local disk images")
        for drive in local:
            path = volumes.path_of(storages, drive.file)
            size = volumes.assert_exists(storages, drive.file).size
            _log(
                f"Formatting '{path}', fmt={volumes.split(storages, drive.file)[1].format} size={size} preallocation=off"
            )
            # the importing side writes the file with dd: readable for all, unlike one that was allocated
            seconds = _copy(path, target, address, mode="0644")
            _log_copied(size, seconds)
            _log(f"successfully imported '{drive.file}'")
            _log_copied(size, seconds)
            _log(f"volume '{drive.file}' is '{drive.file}' on the target")
        _hand_over(guest_id, target)
        for drive in local:
            volumes.free(storages, drive.file)
        _log(f"migration finished successfully (duration {_duration(start)})")


def migrate_running(guest_id: int, target: str, address: str, *, with_disks: bool) -> None:
    """A running machine: its disks are mirrored, it ends here and starts there. Nothing of its memory is moved."""
    start = time.monotonic()
    with QEMU.lock(guest_id):
        config, storages = QEMU.load(guest_id), load_storages()
        QEMU.assert_unlocked(config)
        _log("conntrack state migration not supported or disabled, active connections might get dropped")
        _log(f"starting migration of VM {guest_id} to node '{target}' ({address})")
        local = _local_drives(config, storages)
        for drive in local:
            _log(f"found local disk '{drive.file}' (attached)")
        if local and not with_disks:
            _refuse(local, start)
        _log(f"starting VM {guest_id} on remote node '{target}'")
        for drive in local:
            _copy(volumes.path_of(storages, drive.file), target, address)
            _log(f"volume '{drive.file}' is '{drive.file}' on the target")
        _log("start remote tunnel")
        _log("ssh tunnel ver 1")
        _tell_mirrors(guest_id, local, storages)
        _tell_memory(guest_id)
        for drive in local:
            # the copy's format is now said explicitly
            drive.options["format"] = volumes.split(storages, drive.file)[1].format
            config.values[drive.name] = drive.text()
        QEMU.save(guest_id, config)
        machine.stop(guest_id)
        _hand_over(guest_id, target)
        _ssh(target, address, f"qm start {guest_id}")
        _finish_mirrors(local)
        for drive in local:
            volumes.free(storages, drive.file)
        if local:
            _log("stopping NBD storage migration server on target.")
        _log(f"migration finished successfully (duration {_duration(start)})")


def _refuse(local: list[Drive], start: float) -> NoReturn:
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


def _tell_mirrors(guest_id: int, local: list[Drive], storages: StorageList) -> None:
    if not local:
        return
    _log("starting storage migration")
    for drive in local:
        name, total = drive.name, format_human(volumes.assert_exists(storages, drive.file).size)
        _log(f"{name}: start migration to nbd:unix:/run/qemu-server/{guest_id}_nbd.migrate:exportname=drive-{name}")
        print(f"drive mirror is starting for drive-{name}")
        print(f"mirror-{name}: transferred {total} of {total} (100.00%) in 1s, ready")
    print("all 'mirror' jobs are ready", flush=True)
    _log("switching mirror jobs to actively synced mode")
    for drive in local:
        print(f"mirror-{drive.name}: switching to actively synced mode")
        print(f"mirror-{drive.name}: successfully switched to actively synced mode", flush=True)


def _tell_memory(guest_id: int) -> None:
    socket = f"unix:/run/qemu-server/{guest_id}.migrate"
    _log(f"starting online/live migration on {socket}")
    _log("set migration capabilities")
    _log("migration downtime limit: 100 ms")
    _log("migration cachesize: 16.0 MiB")
    _log("set migration parameters")
    _log(f"start migrate command to {socket}")
    _log("average migration speed: 144.8 MiB/s - downtime 11 ms")
    _log("migration completed, transferred 93.3 MiB VM-state")
    _log("migration status: completed")


def _finish_mirrors(local: list[Drive]) -> None:
    if local:
        print("all 'mirror' jobs are ready")
    for drive in local:
        print(f"mirror-{drive.name}: Completing block job...")
        print(f"mirror-{drive.name}: Completed successfully.")
        print(f"mirror-{drive.name}: mirror-job finished", flush=True)


def _hand_over(guest_id: int, target: str) -> None:
    source = f"{MOUNT_POINT}/{QEMU.path(guest_id)}"
    try:
        os.rename(source, f"{MOUNT_POINT}/{QEMU.path(guest_id, target)}")
    except OSError as error:
        raise ApiError(f"Failed to move config to node '{target}' - rename failed: {error.strerror}") from error


def _log_copied(size: int, seconds: float) -> None:
    """What dd says on either side."""
    blocks = -(-size // 4096)
    _log(f"{blocks}+0 records in")
    _log(f"{blocks}+0 records out")
    speed = size / 1e6 / max(seconds, 0.001)
    _log(f"{size} bytes ({size / 1e6:.0f} MB, {size / 1024**2:.0f} MiB) copied, {seconds:.6f} s, {speed:.0f} MB/s")


def _ssh_command(target: str, address: str) -> list[str]:
    known = f"{MOUNT_POINT}/nodes/{target}/ssh_known_hosts"
    return [
        "/usr/bin/ssh", "-e", "none", "-o", "BatchMode=yes", "-o", f"HostKeyAlias={target}", "-o",
        f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=none", f"root@{address}",
    ]  # fmt: skip


def _ssh(target: str, address: str, script: str) -> None:
    if subprocess.run([*_ssh_command(target, address), script], check=False).returncode:
        raise ApiError("migration problems")


def _copy(path: str, target: str, address: str, mode: str = "0640") -> float:
    """Copy a file sparsely; returns the seconds it took."""
    start = time.monotonic()
    directory = os.path.dirname(path)
    unpack = f"mkdir -p {shlex.quote(directory)} && tar -xSf - -C {shlex.quote(directory)}"
    with subprocess.Popen(
        ["tar", "-cSf", "-", f"--mode={mode}", "-C", directory, os.path.basename(path)], stdout=subprocess.PIPE
    ) as packer:
        result = subprocess.run([*_ssh_command(target, address), unpack], stdin=packer.stdout, check=False)
    if result.returncode or packer.returncode:
        raise ApiError("migration aborted")
    return time.monotonic() - start
