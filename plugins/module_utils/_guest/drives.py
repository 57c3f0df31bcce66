# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives: what is declared for a slot, and what that means beside what is in the slot already.

This file is private to the collection and may change without notice.

A used slot never gets another volume: a larger size grows it, another storage moves it, a smaller size is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._desired.errors import InvalidValue
from .._desired.property_string import PropertyString
from .._desired.sizes import format_gibibytes, format_size, parse_disk_size
from .errors import Refused
from .property_tables import DRIVE

_NUMBER = re.compile(r"\d+(\.\d+)?")
_SLOT_ONLY_AT_CREATION = ("import-from", "format", "size", "file")
#: Slots whose volume's size is a matter of the firmware, not of the user.
_FIXED_SIZE = ("efidisk0", "tpmstate0")


@dataclass(frozen=True)
class DriveWish:
    """What a person declared for one slot. Without volume, storage and content only the options are owned."""

    slot: str
    storage: str = ""
    size: int | None = None
    volume: str = ""
    import_from: str = ""
    image_format: str = ""
    is_cloud_init: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    codec: PropertyString = DRIVE

    @property
    def is_disk(self) -> bool:
        return not self.is_cloud_init and self.options.get("media") != "cdrom"


def parse_drive_wish(slot: str, value: Any, codec: PropertyString = DRIVE) -> DriveWish:
    """Read C(local:20,discard=on) or the dictionary of the same, of a drive or of a container's mount point."""
    if isinstance(value, Mapping):
        given = {str(name).replace("_", "-"): part for name, part in value.items()}
        declared_size = given.pop("size", None)
        storage = str(given.pop("storage", "") or "")
        cloud_init = str(given.pop("cloudinit", given.pop("cloud-init", "")) or "").lower() in (
            "true",
            "1",
            "yes",
            "on",
        )
        parts = _parse(codec, slot, {_underscored(name): part for name, part in given.items()})
    else:
        parts = _parse(codec, slot, value)
        declared_size, storage, cloud_init = None, "", False
        if "size" in parts and _allocates(str(parts.get("file", ""))):
            raise InvalidValue("the size of a new disk stands behind the storage, like local:20", f"{slot}.size")
        parts.pop("size", None)
    try:
        size = None if declared_size is None else parse_disk_size(declared_size)
    except InvalidValue as error:
        raise error.below(f"{slot}.size") from error
    volume = str(parts.pop("file", "") or "")
    head, colon, tail = volume.partition(":")
    if volume in ("none", "cdrom"):
        parts["media"] = "cdrom"
    elif colon and tail == "cloudinit" and codec is DRIVE:
        storage, volume, cloud_init = head, "", True
    elif colon and _NUMBER.fullmatch(tail):
        # STORAGE:0 stands beside import-from at a drive; a container's directory without a limit is declared so.
        if size is None and (float(tail) or codec is not DRIVE):
            size = parse_disk_size(tail)
        storage, volume = head, ""
    elif volume and not colon and not volume.startswith("/"):
        raise InvalidValue(f"'{volume}' is neither STORAGE:SIZE nor a volume", slot)
    if cloud_init:
        parts.pop("media", None)
        if not storage:
            raise InvalidValue("a cloud-init drive needs a storage", f"{slot}.storage")
    return DriveWish(
        slot=slot,
        storage=storage,
        size=size,
        volume=volume,
        import_from=str(parts.pop("import-from", "") or ""),
        image_format=str(parts.pop("format", "") or ""),
        is_cloud_init=cloud_init,
        options=parts,
        codec=codec,
    )


def _underscored(name: str) -> str:
    # Both spellings arrive here; the table knows PVE's names, some with dashes, some with underscores.
    underscored = name.replace("-", "_")
    return underscored if underscored in DRIVE.properties or "_length" in underscored else name


def _parse(codec: PropertyString, slot: str, value: Any) -> dict[str, Any]:
    try:
        return codec.parse(value)
    except InvalidValue as error:
        raise error.below(slot) from error


def _allocates(volume: str) -> bool:
    return bool(_NUMBER.fullmatch(volume.partition(":")[2]))


def is_cloud_init_drive(drive: Mapping[str, Any] | None) -> bool:
    volume = str((drive or {}).get("file", ""))
    return bool(re.search(r"[:/]vm-\d+-cloudinit(\.\w+)?$", volume)) or volume.endswith((":cloudinit", ":@cloudinit"))


def storage_of(drive: Mapping[str, Any]) -> str:
    head, colon, _tail = str(drive.get("file", "")).partition(":")
    return head if colon else ""


def format_of(drive: Mapping[str, Any]) -> str:
    """The image format that a volume's name tells; empty for block storages."""
    matched = re.search(r"\.(raw|qcow2|vmdk)$", str(drive.get("file", "")))
    return matched[1] if matched else ""


@dataclass(frozen=True)
class DrivePlan:
    """What one slot needs: a text to write, a move, a larger size; and how it looks afterwards."""

    slot: str
    write: str | None = None
    allocates: bool = False
    move_to: str = ""
    move_format: str = ""
    grow_to: int | None = None
    after: Mapping[str, Any] = field(default_factory=dict)


def plan_new_drive(wish: DriveWish) -> DrivePlan:
    """A free slot: the text for a create or a configure call."""
    options = {key: part for key, part in wish.options.items() if part is not None}
    if wish.slot.startswith("mp") and "mp" not in options:
        raise Refused(f"{wish.slot}.mp: a new mount point needs the path inside the container.")
    if wish.is_cloud_init:
        options.pop("media", None)
        after = {"file": f"{wish.storage}:cloudinit", "media": "cdrom", **options}
        return DrivePlan(wish.slot, _text(wish, f"{wish.storage}:cloudinit", options), True, after=after)
    if wish.volume:
        return DrivePlan(
            wish.slot,
            _text(replace(wish, image_format=""), wish.volume, options),
            after={"file": wish.volume, **options},
        )
    if not wish.storage:
        raise Refused(f"{wish.slot}: nothing is there, and no storage says where to make it.", "Add storage and size.")
    if wish.import_from:
        # PVE ignores a size beside import-from: growing is a step of its own.
        text = _text(wish, f"{wish.storage}:0", {**options, "import-from": wish.import_from})
        after = {"file": f"{wish.storage}:(new)", **options}
        if wish.size is not None:
            after["size"] = wish.size
        return DrivePlan(wish.slot, text, True, grow_to=wish.size, after=after)
    size = wish.size
    if size is None:
        if wish.slot not in _FIXED_SIZE:
            raise Refused(f"{wish.slot}: nothing is there, and no size says how large to make it.", "Add a size.")
        size = 1024**3
    after = {"file": f"{wish.storage}:(new)", **options}
    if wish.slot not in _FIXED_SIZE:
        after["size"] = size
    return DrivePlan(wish.slot, _text(wish, f"{wish.storage}:{format_gibibytes(size)}", options), True, after=after)


def _text(wish: DriveWish, volume: str, options: Mapping[str, Any]) -> str:
    image_format = {"format": wish.image_format} if wish.image_format else {}
    return wish.codec.format({"file": volume, **options, **image_format})


def plan_used_drive(wish: DriveWish, drive: Mapping[str, Any]) -> DrivePlan:
    """A slot with something in it."""
    after = dict(drive)
    _refuse_other_content(wish, drive)
    volume = str(drive.get("file", ""))
    if wish.volume and wish.volume != volume:
        volume = wish.volume
        after.pop("size", None)
        after["file"] = volume
    options = {key: part for key, part in wish.options.items() if key not in _SLOT_ONLY_AT_CREATION}
    if wish.slot in _FIXED_SIZE:
        _refuse_immutable(wish, drive)
        options = {}
    after = wish.codec.merge(options, after)
    write = None
    if volume != drive.get("file") or not wish.codec.holds(options, drive):
        write = wish.codec.format(after)
    move_to, move_format = "", ""
    if wish.is_disk and not wish.volume:
        if wish.storage and wish.storage != storage_of(drive):
            move_to = wish.storage
        if wish.image_format and format_of(drive) and wish.image_format != format_of(drive):
            move_to, move_format = move_to or storage_of(drive), wish.image_format
        if move_to:
            after["file"] = f"{move_to}:(moved)"
    grow_to = None
    there = drive.get("size")
    if wish.is_disk and wish.size is not None and wish.slot not in _FIXED_SIZE and there is not None:
        if wish.size < there:
            raise Refused(
                f"{wish.slot}: it has {format_size(there)} and shall have {format_size(wish.size)}; disks are never shrunk.",
                f"Declare at least {format_size(there)}.",
            )
        if wish.size > there:
            grow_to = after["size"] = wish.size
    return DrivePlan(wish.slot, write, False, move_to, move_format or wish.image_format, grow_to, after)


def _refuse_other_content(wish: DriveWish, drive: Mapping[str, Any]) -> None:
    volume = str(drive.get("file", ""))
    has_cloud_init = is_cloud_init_drive(drive)
    is_optical = drive.get("media") == "cdrom" and not has_cloud_init
    remedy = f"Use another slot, or detach it first with absent_keys: [{wish.slot}]."
    if wish.is_cloud_init:
        if not has_cloud_init:
            raise Refused(f"{wish.slot}: a cloud-init drive is wanted, but {volume} is there.", remedy)
        if wish.storage != storage_of(drive):
            raise Refused(
                f"{wish.slot}: the cloud-init drive is on {storage_of(drive)} and cannot be moved to {wish.storage}.",
                f"Detach it in one run with absent_keys: [{wish.slot}].",
            )
        return
    if has_cloud_init:
        raise Refused(f"{wish.slot}: the cloud-init drive {volume} is there.", remedy)
    if is_optical == (wish.options.get("media") == "cdrom") and is_optical:
        return
    if is_optical and (wish.storage or wish.volume):
        raise Refused(f"{wish.slot}: a disk is wanted, but {volume} is there as an optical drive.", remedy)
    if wish.options.get("media") == "cdrom":
        raise Refused(f"{wish.slot}: an optical drive is wanted, but the disk {volume} is there.", remedy)
    # A path of the host is no volume: mounting another one loses nothing.
    if wish.volume and wish.volume != volume and not (volume.startswith("/") and wish.volume.startswith("/")):
        raise Refused(f"{wish.slot}: the volume {wish.volume} is wanted, but {volume} is there.", remedy)


def _refuse_immutable(wish: DriveWish, drive: Mapping[str, Any]) -> None:
    for name in ("efitype", "version", "pre-enrolled-keys"):
        if name in wish.options and not wish.codec.holds({name: wish.options[name]}, drive):
            raise Refused(f"{wish.slot}.{name}: it cannot be changed once the volume exists.")
