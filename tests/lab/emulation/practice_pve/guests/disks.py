# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, importing, checking and detaching the drives that a create or update call names."""

from __future__ import annotations

import os
from collections.abc import Mapping

from practice_pve.guests.config_file import GuestConfig, Values
from practice_pve.guests.drives import DRIVE_NAMES, Drive, drives_of, parse_drive
from practice_pve.guests.formats import NEW_DISK, split_volume_id
from practice_pve.guests.sizes import gigabytes_to_kilobytes
from practice_pve.rest.errors import ApiError, NotEmulated, ParameterErrors
from practice_pve.storage import images, volumes
from practice_pve.storage.definitions import StorageList, load_storages

CLOUD_INIT_SIZE = 4 * 1024 * 1024
TPM_STATE_SIZE = 4 * 1024 * 1024
EFI_VARIABLES_SIZE = {"2m": 128 * 1024, "4m": 528 * 1024}
MAX_UNUSED = 256


def new_disk(file: str) -> tuple[str | None, str] | None:
    """Storage and size of `local:20` or `20`, None for an existing volume."""
    match = NEW_DISK.fullmatch(file)
    return (match[1], match[2]) if match else None


def is_cloud_init_request(file: str) -> bool:
    """True for `local:cloudinit`, which asks for a new cloud-init drive."""
    parts = split_volume_id(file)
    return file == "cloudinit" or (parts is not None and parts[1] == "cloudinit")


def check_drive_parameters(params: dict[str, object], storages: StorageList) -> None:
    """Refuse drives that no storage could ever satisfy; spell the others as PVE does."""
    for name in sorted(key for key in params if key in DRIVE_NAMES):
        drive = parse_drive(name, str(params[name]))
        if drive is None:
            raise ParameterErrors({name: "unable to parse drive options"})
        request = new_disk(drive.file)
        if "import-from" in drive.options:
            if request is None or float(request[1]) != 0:
                raise ParameterErrors(
                    {name: "'import-from' requires special syntax - use <storage ID>:0,import-from=<source>"}
                )
            _check_import_options(drive)
        _adopt_path(drive, storages)
        parts = split_volume_id(drive.file)
        if parts and request is None and parts[1] != "cloudinit":
            _storage, volume = volumes.split(storages, drive.file)
            if volume.content == "iso" and not drive.is_cdrom:
                raise ParameterErrors({name: "explicit 'media=cdrom' is required for iso images"})
        params[name] = drive.text()


def _check_import_options(drive: Drive) -> None:
    needed = {"efidisk0": ("efitype", "pre-enrolled-keys"), "tpmstate0": ("version",)}.get(drive.name, ())
    for option in needed:
        if option not in drive.options:
            raise ParameterErrors({drive.name: f"need to specify '{option}' when using 'import-from'"})


def _adopt_path(drive: Drive, storages: StorageList) -> None:
    """An absolute path into a storage becomes the volume's id."""
    if not drive.file.startswith("/"):
        return
    for storage in storages.storages.values():
        if storage.path and storage.kind.emulated and drive.file.startswith(f"{storage.directory('images')}/"):
            drive.file = f"{storage.name}:{drive.file.removeprefix(storage.directory('images') + '/')}"
            return


def check_storage_access(
    params: Mapping[str, object], storages: StorageList, default_storage: str | None, user: str
) -> None:
    """Everything about the named storages and volumes that can be refused before work begins."""
    for drive in drives_of(dict(params)):
        request = new_disk(drive.file)
        if drive.file == "none" or is_cloud_init_request(drive.file) or (drive.is_cdrom and drive.file == "cdrom"):
            continue
        if request is not None and not drive.is_cdrom:
            name = request[0] or default_storage
            if not name:
                raise ApiError("no storage ID specified (and no default storage)")
            if "images" not in storages.find(name).content:
                raise ParameterErrors({"storage": f"storage '{name}' does not support vm images"})
        else:
            _check_volume(drive.name, drive.file, storages, user)
        source = drive.options.get("import-from")
        if source:
            _check_import_source(drive.name, str(source), storages, user)


def _check_volume(name: str, file: str, storages: StorageList, user: str) -> None:
    if split_volume_id(file) is None:
        if user != "root@pam":
            raise ApiError("Only root can pass arbitrary filesystem paths.")
        return
    _storage, volume = volumes.split(storages, file)
    if volume.content not in ("images", "iso"):
        raise ParameterErrors({name: "content type needs to be 'images' or 'iso'"})


def _check_import_source(name: str, source: str, storages: StorageList, user: str) -> None:
    if split_volume_id(source) is None:
        if user != "root@pam":
            raise ApiError("Only root can pass arbitrary filesystem paths.")
        return
    _storage, volume = volumes.split(storages, source)
    if volume.content not in ("images", "import"):
        raise ParameterErrors({name: f"{source} has wrong type '{volume.content}' - needs to be 'images' or 'import'"})
    if volume.format.startswith("ova"):
        raise NotEmulated("import from an OVA archive")


class DiskMaker:
    """Makes the drives of one call; what was made is freed when a later one fails."""

    def __init__(
        self, guest_id: int, config: GuestConfig, storages: StorageList, default_storage: str | None = None
    ) -> None:
        self.guest_id = guest_id
        self.config = config
        self.storages = storages
        self.default_storage = default_storage
        self.made: list[str] = []
        self.results: Values = {}

    def make(self, settings: Mapping[str, object]) -> Values:
        """Settle every drive of `settings` and return the texts for the configuration."""
        try:
            for drive in drives_of(dict(settings)):
                self._settle(drive)
        except ApiError:
            self.undo()
            raise
        return self.results

    def undo(self) -> None:
        """Free what was made."""
        for volume_id in self.made:
            volumes.free(self.storages, volume_id)
        self.made.clear()

    def _settle(self, drive: Drive) -> None:
        if drive.file in ("none", "cdrom"):
            drive.size = None
            self.results[drive.name] = drive.text()
        elif is_cloud_init_request(drive.file):
            self._make_cloud_init(drive)
        elif new_disk(drive.file) is not None:
            self._make_disk(drive)
        else:
            self._attach(drive)

    def _storage_for(self, named: str | None) -> str:
        name = named or self.default_storage
        if not name:
            raise ApiError("no storage ID specified (and no default storage)")
        return name

    def _make_cloud_init(self, drive: Drive) -> None:
        self._assert_only_cloud_init(drive)
        parts = split_volume_id(drive.file)
        storage = self._storage_for(parts[0] if parts else None)
        image_format = drive.format or "qcow2"
        self.storages.find(storage)
        drive.file = volumes.allocate(
            self.storages, storage, self.guest_id, image_format, CLOUD_INIT_SIZE,
            f"vm-{self.guest_id}-cloudinit.{image_format}",
        )  # fmt: skip
        self.made.append(drive.file)
        drive.options.pop("format", None)
        drive.options["media"] = "cdrom"
        self._finish(drive)

    def _assert_only_cloud_init(self, drive: Drive) -> None:
        for values in (self.config.values, self.config.pending, self.results):
            for other in drives_of(values):
                if other.name != drive.name and other.is_cloud_init:
                    raise ApiError(f"{drive.name} - cloud-init drive is already attached at '{other.name}'")

    def _make_disk(self, drive: Drive) -> None:
        named, size = new_disk(drive.file) or (None, "0")
        storage = self._storage_for(named)
        source = drive.options.pop("import-from", None)
        if source:
            drive.file, drive.size = self._import(str(source), storage, drive)
        elif drive.name == "efidisk0":
            self._make_efi_disk(drive, storage)
        else:
            wanted = TPM_STATE_SIZE if drive.name == "tpmstate0" else gigabytes_to_kilobytes(size) * 1024
            drive.file = volumes.allocate(self.storages, storage, self.guest_id, drive.format, wanted)
            drive.size = wanted
        self.made.append(drive.file)
        if self.config.values.get("template"):
            self.made.remove(drive.file)
            drive.file = volumes.make_base(self.storages, drive.file)
            self.made.append(drive.file)
        drive.options.pop("format", None)
        self._finish(drive)

    def _make_efi_disk(self, drive: Drive, storage: str) -> None:
        size = EFI_VARIABLES_SIZE[str(drive.options.get("efitype", "2m"))]
        drive.file = volumes.allocate(self.storages, storage, self.guest_id, drive.format, size)
        images.print_progress(0, size)
        path = volumes.path_of(self.storages, drive.file)
        if (drive.format or "raw") == "raw":
            with open(path, "r+b") as stream:
                stream.write(b"\xff" * size)
        images.print_progress(size, size)
        images.print_progress(size, size)
        drive.size = size
        if drive.options.get("pre-enrolled-keys"):
            drive.options["ms-cert"] = "2023k"

    def _import(self, source: str, storage: str, drive: Drive) -> tuple[str, int]:
        if split_volume_id(source) is None:
            # the file may be anything; the real program asks qemu-img what it is
            if not os.path.isfile(source):
                raise ApiError(f"can't find file '{source}'")
            return import_file(self.storages, source, storage, self.guest_id, drive.format)
        info = volumes.info_of(self.storages, source)
        if info is None:
            raise ApiError(
                f"cannot import from '{source}' - could not get size of {source}"
                if volumes.split(self.storages, source)[1].content == "images"
                else f"volume '{source}' does not exist"
            )
        path = volumes.path_of(self.storages, source)
        print(f"create full clone of drive ({source})")
        return import_file(self.storages, path, storage, self.guest_id, drive.format, info)

    def _attach(self, drive: Drive) -> None:
        parts = split_volume_id(drive.file)
        if parts:
            _storage, volume = volumes.split(self.storages, drive.file)
            if volume.content not in ("images", "iso"):
                raise ApiError(f"cannot use volume {drive.file} - content type needs to be 'images' or 'iso'")
            if drive.format and drive.format != volume.format:
                raise ApiError(
                    f"drive '{drive.name}' - volume '{drive.file}' - 'format={drive.format}' option different"
                    f" from storage format '{volume.format}'"
                )
            if drive.is_cloud_init:
                self._assert_only_cloud_init(drive)
        drive.size = volumes.assert_exists(self.storages, drive.file).size
        self.results[drive.name] = drive.text()

    def _finish(self, drive: Drive) -> None:
        text = drive.text()
        self.results[drive.name] = text
        print(f"{drive.name}: successfully created disk '{text}'")


def import_file(
    storages: StorageList,
    source: str,
    storage: str,
    guest_id: int,
    image_format: str | None,
    info: images.ImageInfo | None = None,
) -> tuple[str, int]:
    """Copy a file into a new volume; returns the volume and the size of the disk."""
    found = info or images.read_info(source)
    volume_id = volumes.allocate(storages, storage, guest_id, image_format, found.size)
    target_format = volumes.split(storages, volume_id)[1].format
    try:
        images.copy_image(source, found.format, volumes.path_of(storages, volume_id), target_format, found.size)
    except NotEmulated:
        volumes.free(storages, volume_id)
        raise
    return volume_id, found.size


def register_unused(config: GuestConfig, guest_id: int, drive: Drive) -> None:
    """A drive leaves its slot: cloud-init drives are freed, other owned volumes become unusedN."""
    storages = load_storages()
    if drive.is_cloud_init:
        volumes.free(storages, drive.file)
        config.special.pop("cloudinit", None)
    elif not drive.is_cdrom and split_volume_id(drive.file) and is_owner(storages, guest_id, drive.file):
        add_unused(config.values, drive.file)


def add_unused(values: Values, volume_id: str) -> str | None:
    """Note a volume under the lowest free unusedN; None when it stands there already."""
    if volume_id in (values.get(f"unused{index}") for index in range(MAX_UNUSED)):
        return None
    for index in range(MAX_UNUSED):
        key = f"unused{index}"
        if key not in values:
            values[key] = volume_id
            return key
    raise ApiError("Too many unused volumes - please delete them first.")


def is_owner(storages: StorageList, guest_id: int, volume_id: str) -> bool:
    """True when the volume's name carries the guest's id."""
    if split_volume_id(volume_id) is None:
        return False
    return volumes.split(storages, volume_id)[1].owner == guest_id
