# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One drive of a virtual machine: its property string as an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from practice_pve.guests.formats import is_drive_name, split_volume_id
from practice_pve.guests.sizes import format_size, parse_size
from practice_pve.guests.tables.drives import DRIVES_PER_BUS
from practice_pve.guests.tables.machine_options import CALL_OPTIONS
from practice_pve.rest.formats import FormatError
from practice_pve.rest.parameters import Parameter
from practice_pve.rest.verification import parse_property_string, perl_text, print_property_string

_CLOUD_INIT_FILE = re.compile(r".*[:/](?:vm-\d+-)?cloudinit(?:\.(?:raw|qcow|qed|qcow2|vmdk|cloop))?")
_NEEDS = (
    ("mbps_max", "mbps"), ("mbps_rd_max", "mbps_rd"), ("mbps_wr_max", "mbps_wr"),
    ("bps_max_length", "mbps_max"), ("bps_rd_max_length", "mbps_rd_max"), ("bps_wr_max_length", "mbps_wr_max"),
    ("iops_max_length", "iops_max"), ("iops_rd_max_length", "iops_rd_max"), ("iops_wr_max_length", "iops_wr_max"),
)  # fmt: skip
_EXCLUSIVE = (("mbps_rd", "mbps"), ("mbps_wr", "mbps"), ("iops_rd", "iops"), ("iops_wr", "iops"))

# The order in which PVE looks for the first disk.
DRIVE_NAMES = (
    *tuple(f"{bus}{index}" for bus in ("ide", "scsi", "virtio", "sata") for index in range(DRIVES_PER_BUS[bus])),
    "efidisk0",
    "tpmstate0",
)
BOOTABLE_DRIVE_NAMES = DRIVE_NAMES[:-2]


@dataclass
class Drive:
    """A drive such as `scsi0: local:100/vm-100-disk-0.raw,discard=on,size=20G`."""

    name: str
    file: str
    size: int | None = None
    options: dict[str, object] = field(default_factory=dict)

    @property
    def is_cloud_init(self) -> bool:
        """True for the generated configuration drive."""
        return _CLOUD_INIT_FILE.fullmatch(self.file) is not None

    @property
    def is_cdrom(self) -> bool:
        """True for anything attached with media=cdrom, the cloud-init drive included."""
        return self.options.get("media") == "cdrom"

    @property
    def format(self) -> str | None:
        """The format asked for, not the one of the volume."""
        value = self.options.get("format")
        return None if value is None else str(value)

    @property
    def storage(self) -> str | None:
        """Storage of the volume, None for `none`, `cdrom` and absolute paths."""
        parts = split_volume_id(self.file)
        return parts[0] if parts else None

    def text(self) -> str:
        """The property string as PVE prints it."""
        values: dict[str, object] = {"file": self.file, **self.options}
        if self.size is not None:
            values["size"] = format_size(self.size)
        return print_property_string(_format_of(self.name), values)


def parse_drive(name: str, text: str) -> Drive | None:
    """Read a drive; None when PVE would not understand it."""
    try:
        values = parse_property_string(_format_of(name), text, name)
    except FormatError:
        return None
    for option in ("bps", "bps_rd", "bps_wr"):
        if option in values:
            if f"m{option}" in values:
                return None
            values[f"m{option}"] = f"{float(values.pop(option)) / 1024**2:.3f}"
    if any(values.get(option) and not values.get(needed) for option, needed in _NEEDS):
        return None
    if any(values.get(one) and values.get(other) for one, other in _EXCLUSIVE):
        return None
    if values.get("media") == "cdrom" and (values.get("snapshot") or values.get("format") or name.startswith("virtio")):
        return None
    size = values.pop("size", None)
    return Drive(name, str(values.pop("file")), None if size is None else parse_size(str(size)), values)


def drives_of(values: dict[str, object]) -> list[Drive]:
    """Every drive of a configuration in PVE's order; lines that cannot be understood are left out."""
    found = (parse_drive(name, perl_text(values[name])) for name in DRIVE_NAMES if name in values)
    return [drive for drive in found if drive]


def boot_order(values: dict[str, object]) -> list[str]:
    """Devices of `boot: order=...`, empty for the legacy forms."""
    match = re.search(r"(?:^|,)order=([^,]*)", perl_text(values.get("boot", "")))
    return re.split(r"[;\s]+", match[1].strip()) if match and match[1].strip() else []


def print_boot_order(devices: list[str]) -> str:
    """The value of `boot`; PVE writes an empty value when nothing is bootable."""
    return f"order={';'.join(devices)}" if devices else ""


def default_boot_order(values: dict[str, object]) -> list[str]:
    """First disk, first CD drive, first network card."""
    devices = []
    for wants_cdrom in (False, True):
        first = next(
            (
                drive.name
                for drive in drives_of(values)
                if drive.name in BOOTABLE_DRIVE_NAMES and drive.is_cdrom is wants_cdrom
            ),
            None,
        )
        if first:
            devices.append(first)
    card = next((f"net{index}" for index in range(32) if f"net{index}" in values), None)
    return devices + ([card] if card else [])


def boot_disk_size(values: dict[str, object]) -> int:
    """Size of the first hard disk in the boot order, 0 when there is none."""
    for name in boot_order(values):
        if is_drive_name(name) and name in values:
            drive = parse_drive(name, perl_text(values[name]))
            if drive and not drive.is_cdrom and drive.file != "none":
                return drive.size or 0
    return 0


def _format_of(name: str) -> Mapping[str, Parameter]:
    sub_options = CALL_OPTIONS[name].format
    assert isinstance(sub_options, Mapping), "every drive is a property string"
    return sub_options
