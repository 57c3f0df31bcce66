# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Growing, moving and reassigning a virtual machine's disks, and turning it into a template."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from practice_pve.guests import machine
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.disks import add_unused
from practice_pve.guests.drives import Drive, boot_order, drives_of, parse_drive, print_boot_order
from practice_pve.guests.sizes import format_human, parse_size
from practice_pve.guests.store import QEMU, guest_list
from practice_pve.guests.update import is_in_use
from practice_pve.rest.errors import ApiError, ParameterErrors
from practice_pve.rest.verification import perl_text
from practice_pve.storage import images, volumes
from practice_pve.storage.definitions import StorageList, load_storages


def find_drive(config: GuestConfig, name: str) -> Drive:
    """The drive or PVE's complaint."""
    if name not in config.values:
        raise ApiError(f"disk '{name}' does not exist")
    drive = parse_drive(name, perl_text(config.values[name]))
    if drive is None or drive.file in ("none", ""):
        raise ApiError(f"disk '{name}' has no associated volume")
    return drive


def resize_disk(guest_id: int, name: str, size_text: str, digest: str | None, *, skip_lock: bool) -> None:
    """The worker of `qm disk resize`."""
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        if digest and digest != config.digest:
            raise ApiError("checksum mismatch (file change by other user?)")
        if not skip_lock:
            QEMU.assert_unlocked(config)
        drive = find_drive(config, name)
        storages = load_storages()
        _storage, volume = volumes.split(storages, drive.file)
        if drive.is_cdrom:
            raise ApiError("you can't resize a cdrom")
        size = volumes.assert_exists(storages, drive.file).size
        wanted = (parse_size(size_text.lstrip("+")) or 0) + (size if size_text.startswith("+") else 0)
        if wanted < size:
            raise ApiError("shrinking disks is not supported")
        if wanted == size:
            return
        path = volumes.path_of(storages, drive.file)
        # qemu-img wants whole KiB
        rounded = math.ceil(wanted / 1024) * 1024
        if volume.is_base:
            option = "'--preallocation=metadata'" if volume.format == "qcow2" else "'--preallocation=off'"
            print(f"qemu-img: Could not open '{path}': Could not open '{path}': Operation not permitted", flush=True)
            command = f"/usr/bin/qemu-img resize {option} -f {volume.format} {path} {rounded}"
            raise ApiError(f"command '{command}' failed: exit code 1")
        images.resize_image(path, volume.format, rounded)
        if not machine.is_running(guest_id):
            print("Image resized.")
        drive.size = rounded
        config.values[name] = drive.text()
        QEMU.save(guest_id, config)


@dataclass
class Move:
    """What a move call asks for."""

    guest_id: int
    disk: str
    storage: str
    format: str | None = None
    delete: bool = False
    digest: str | None = None


def check_move(move: Move) -> tuple[GuestConfig, Drive, StorageList]:
    """Everything that can be refused before work begins."""
    config = QEMU.load(move.guest_id)
    QEMU.assert_unlocked(config)
    if move.digest and move.digest != config.digest:
        raise ApiError("detected modified configuration - file changed by other user? Try again.")
    drive = find_drive(config, move.disk)
    if drive.is_cdrom and not drive.is_cloud_init:
        raise ApiError("you can't move a cdrom")
    storages = load_storages()
    storage, volume = volumes.split(storages, drive.file)
    if storage.name == move.storage and (not move.format or move.format == volume.format):
        raise ApiError("you can't move to the same storage with same format")
    if "images" not in storages.find_enabled(move.storage).content:
        raise ParameterErrors({"storage": f"storage '{move.storage}' does not support vm images"})
    if move.delete and is_in_use(config, drive.file, besides=move.disk):
        raise ApiError("you can't move a disk with snapshots and delete the source")
    return config, drive, storages


def move_disk(move: Move) -> None:
    """The worker of `qm disk move`."""
    with QEMU.lock(move.guest_id):
        config, drive, storages = check_move(move)
        source = drive.file
        print(f"copying volume '{source}' from current storage '{drive.storage}' to target storage '{move.storage}'")
        if is_in_use(config, source, besides=move.disk):
            print("moving disk with snapshots, snapshots will not be moved!")
        running = machine.is_running(move.guest_id)
        try:
            copied = copy_drive(storages, drive, move.guest_id, move.storage, move.format, running=running)
        except ApiError as error:
            raise ApiError(f"storage migration failed: {error.message}") from error
        config.values[move.disk] = copied.text()
        if not move.delete:
            key = add_unused(config.values, source)
            print(f"adding source volume '{source}' as '{key}' to config")
        if config.values.get("template"):
            copied.file = volumes.make_base(storages, copied.file)
            config.values[move.disk] = copied.text()
        QEMU.save(move.guest_id, config)
        if move.delete:
            print(f"removing source volume '{source}' after successful copy")
            volumes.free(storages, source)


def copy_drive(
    storages: StorageList,
    drive: Drive,
    owner: int,
    storage: str | None,
    image_format: str | None,
    *,
    running: bool = False,
) -> Drive:
    """A full copy of a drive's volume for `owner`; a running machine's disk is mirrored."""
    source_storage, volume = volumes.split(storages, drive.file)
    target = storage or source_storage.name
    if drive.is_cloud_init:
        kept = image_format or volume.format
        new_file = volumes.allocate(
            storages, target, owner, kept, volumes.assert_exists(storages, drive.file).size,
            f"vm-{owner}-cloudinit.{kept}",
        )  # fmt: skip
        return Drive(drive.name, new_file, drive.size, dict(drive.options))
    print(f"create full clone of drive {drive.name} ({drive.file})")
    info = volumes.assert_exists(storages, drive.file)
    supported = storages.find(target).kind.formats
    wanted = image_format or (volume.format if volume.format in supported else None)
    new_file = volumes.allocate(storages, target, owner, wanted, info.size)
    print(f"allocated target volume '{new_file}'")
    target_format = volumes.split(storages, new_file)[1].format
    paths = volumes.path_of(storages, drive.file), volumes.path_of(storages, new_file)
    if running:
        _mirror(drive.name, info.size)
        _copy_quietly(paths[0], info.format, paths[1], target_format, info.size)
        _finish_mirror(drive.name)
    else:
        images.copy_image(paths[0], info.format, paths[1], target_format, info.size)
    options = {key: value for key, value in drive.options.items() if key != "format"}
    return Drive(drive.name, new_file, info.size, options)


def _copy_quietly(source: str, source_format: str, target: str, target_format: str, size: int) -> None:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        images.copy_image(source, source_format, target, target_format, size)


def _mirror(name: str, size: int) -> None:
    total = format_human(size)
    print(f"drive mirror is starting for drive-{name}")
    print(f"mirror-{name}: transferred 0.0 B of {total} (0.00%) in 0s")
    print(f"mirror-{name}: transferred {total} of {total} (100.00%) in 1s, ready")
    print("all 'mirror' jobs are ready")


def _finish_mirror(name: str) -> None:
    print(f"mirror-{name}: Completing block job...")
    print(f"mirror-{name}: Completed successfully.")
    print(f"mirror-{name}: mirror-job finished")


@dataclass
class Reassignment:
    """A disk goes to another machine."""

    guest_id: int
    disk: str
    target_id: int
    target_disk: str
    digest: str | None = None
    target_digest: str | None = None


def check_reassignment(job: Reassignment) -> tuple[GuestConfig, GuestConfig, Drive]:
    """Everything that can be refused before work begins."""
    known = guest_list()
    if job.target_id not in known:
        raise ApiError(f"could not find target VM {job.target_id}")
    nodes = known[job.guest_id]["node"], known[job.target_id]["node"]
    if nodes[0] != nodes[1]:
        raise ApiError(f"Both VMs need to be on the same node ({nodes[0]} != {nodes[1]})")
    source, target = QEMU.load(job.guest_id), QEMU.load(job.target_id)
    QEMU.assert_unlocked(source)
    QEMU.assert_unlocked(target)
    if source.values.get("template") or target.values.get("template"):
        raise ApiError("Can't move disks from or to template VMs")
    for guest_id, config, digest in (
        (job.guest_id, source, job.digest),
        (job.target_id, target, job.target_digest),
    ):
        if digest and digest != config.digest:
            raise ApiError(f"VM {guest_id}: detected modified configuration - file changed by other user? Try again.")
    if job.disk not in source.values:
        raise ApiError(f"Disk '{job.disk}' for VM '{job.guest_id}' does not exist")
    if job.target_disk in target.values:
        raise ApiError(f"Target disk key '{job.target_disk}' is already in use for VM '{job.target_id}'")
    drive = find_drive(source, job.disk)
    if drive.is_cdrom and not drive.is_cloud_init:
        raise ApiError("CD drive contents can't be moved to another VM")
    if is_in_use(source, drive.file, besides=job.disk):
        raise ApiError("Can't move disk used by a snapshot to another VM")
    if machine.is_running(job.guest_id) and not re.fullmatch(r"unused\d+", job.disk):
        raise ApiError("Cannot move disk to another VM while the source VM is running - detach first")
    return source, target, drive


def reassign_disk(job: Reassignment) -> None:
    """The worker of `qm disk move --target-vmid`."""
    with QEMU.lock(job.guest_id), QEMU.lock(job.target_id):
        source, target, drive = check_reassignment(job)
        print(f"reassign disk '{job.disk}' from VM '{job.guest_id}' as '{job.target_disk}' to VM '{job.target_id}'")
        drive.file = volumes.rename_owner(load_storages(), drive.file, job.target_id)
        order = boot_order(source.values)
        if job.disk in order:
            print(f"removing disk '{job.disk}' from boot order config")
            source.values["boot"] = print_boot_order([name for name in order if name != job.disk])
        del source.values[job.disk]
        print(f"removing disk '{job.disk}' from VM '{job.guest_id}' config")
        QEMU.save(job.guest_id, source)
        drive.name = job.target_disk
        target.values[job.target_disk] = drive.file if job.target_disk.startswith("unused") else drive.text()
        if not job.target_disk.startswith("unused"):
            print(f"update VM {job.target_id}: -{job.target_disk} {target.values[job.target_disk]}")
        QEMU.save(job.target_id, target)


def check_template(guest_id: int, disk: str | None) -> GuestConfig:
    """Refuse what cannot become a template."""
    config = QEMU.load(guest_id)
    QEMU.assert_unlocked(config)
    if config.snapshots:
        raise ApiError("unable to create template, because VM contains snapshots")
    if config.values.get("template") and not disk:
        raise ApiError("you can't convert a template to a template")
    if machine.is_running(guest_id):
        raise ApiError("you can't convert a VM to template if VM is running", exit_code=25)
    return config


def make_template(guest_id: int, disk: str | None) -> None:
    """The worker of `qm template`: disks become base images one by one."""
    with QEMU.lock(guest_id):
        config = check_template(guest_id, disk)
        config.values["template"] = 1
        QEMU.save(guest_id, config)
        storages = load_storages()
        for drive in drives_of(config.values):
            if drive.is_cdrom or (disk and drive.name != disk) or drive.storage is None:
                continue
            if volumes.split(storages, drive.file)[1].is_base:
                continue
            drive.file = volumes.make_base(storages, drive.file)
            config.values[drive.name] = drive.text()
            QEMU.save(guest_id, config)
