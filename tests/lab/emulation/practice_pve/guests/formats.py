# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The named formats that only guests use."""

from __future__ import annotations

import re

from practice_pve.guests.tables.cpu_models import CPU_MODELS, SUPPORTED_FLAGS
from practice_pve.guests.tables.drives import BUS_FORMATS, DRIVES_PER_BUS
from practice_pve.guests.tables.machine_parts import CPU
from practice_pve.rest.formats import FormatError, register_format
from practice_pve.rest.verification import parse_property_string

NEW_DISK = re.compile(r"(?:([^/:\s]+):)?(\d+(?:\.\d+)?)")
HOTPLUG_FEATURES = ("network", "disk", "cpu", "memory", "usb", "cloudinit")
STORAGE_NAME = r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]"


def split_volume_id(volume_id: str) -> tuple[str, str] | None:
    """Storage and volume name of `local:100/vm-100-disk-0.raw`, None when it is not a volume id."""
    match = re.fullmatch(rf"({STORAGE_NAME}):(.+)", volume_id)
    return (match[1], match[2]) if match else None


def is_drive_name(name: str) -> bool:
    """True for ide0 ... sata5, efidisk0 and tpmstate0, not for unusedN."""
    if name in ("efidisk0", "tpmstate0"):
        return True
    match = re.fullmatch(r"([a-z]+)(0|[1-9]\d*)", name)
    return match is not None and int(match[2]) < DRIVES_PER_BUS.get(match[1], 0)


def check_volume_id(value: str) -> str:
    if split_volume_id(value) is None:
        raise FormatError(f"unable to parse volume ID '{value}'")
    return value


def check_volume_id_or_path(value: str) -> str:
    return value if value.startswith("/") else check_volume_id(value)


def check_volume_id_or_machine_path(value: str) -> str:
    return value if value in ("none", "cdrom") else check_volume_id_or_path(value)


def check_hotplug(value: str) -> str:
    if value not in ("0", "1"):
        for feature in re.split(r"[,;\s]+", value):
            if feature and feature not in HOTPLUG_FEATURES:
                raise FormatError(f"invalid hotplug feature '{feature}'")
    return value


def check_boot_device(value: str) -> str:
    if is_drive_name(value) and value not in ("efidisk0", "tpmstate0"):
        return value
    if re.fullmatch(r"(?:net|hostpci|usb)\d+", value):
        return value
    raise FormatError(f"invalid boot device '{value}'")


def check_boot_disk(value: str) -> str:
    if not is_drive_name(value):
        raise FormatError(f"invalid boot disk '{value}'")
    return value


def check_cpu(value: str) -> str:
    cpu = parse_property_string(CPU, value, "cpu")
    model = cpu.get("cputype")
    if not model:
        raise FormatError("CPU is missing cputype")
    if model.startswith("custom-"):
        raise FormatError(f"Custom cputype '{model[len('custom-') :]}' not found")
    if model not in CPU_MODELS:
        raise FormatError(f"Built-in cputype '{model}' is not defined (missing 'custom-' prefix?)")
    flags = cpu.get("flags", "").split(";") if cpu.get("flags") else []
    if any(flag[:1] not in "+-" or flag[1:] not in SUPPORTED_FLAGS for flag in flags):
        raise FormatError(f"VM-specific CPU flags must be a subset of: {', '.join(SUPPORTED_FLAGS)}")
    if "reported-model" in cpu:
        raise FormatError("Property 'reported-model' not allowed in VM-specific CPU config.")
    return value


def check_physical_bits(value: str) -> str:
    if value != "host" and not (value.isdigit() and 8 <= int(value) <= 64):
        raise FormatError("value must be an integer between 8 and 64 or 'host'")
    return value


def check_cpu_set(value: str) -> str:
    if not re.fullmatch(r"\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*", value):
        raise FormatError("unable to parse cpuset option")
    return value


def check_cdrom(value: str) -> str:
    parse_property_string(BUS_FORMATS["ide"], value, "cdrom")
    return value


register_format("pve-volume-id", check_volume_id)
register_format("pve-volume-id-or-absolute-path", check_volume_id_or_path)
register_format("pve-volume-id-or-qm-path", check_volume_id_or_machine_path)
register_format("pve-hotplug-features", check_hotplug)
register_format("pve-qm-bootdev", check_boot_device)
register_format("pve-qm-bootdisk", check_boot_disk)
register_format("pve-qm-ide", check_cdrom)
register_format("pve-vm-cpu-conf", check_cpu)
register_format("pve-phys-bits", check_physical_bits)
register_format("pve-cpuset", check_cpu_set)
