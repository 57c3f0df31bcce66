# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sub-options of a virtual machine's drives, one table per bus."""

from __future__ import annotations

from practice_pve.guests.tables.words import Options, alias, choice, flag, integer, number, properties, text

IMAGE_FORMATS = ("raw", "qcow", "qed", "qcow2", "vmdk", "cloop")
DRIVES_PER_BUS = {"ide": 4, "scsi": 31, "virtio": 16, "sata": 6}

_FILE = text(default_key=True, optional=False, format="pve-volume-id-or-qm-path")
_IMPORT_FROM = text(format="pve-volume-id-or-absolute-path")
_WORLD_WIDE_NAME = text(pattern=r"^(0x)[0-9a-fA-F]{16}")

_COMMON: Options = {
    "volume": alias("file"),
    "file": _FILE,
    "media": choice("cdrom", "disk", default="disk"),
    "snapshot": flag(),
    "shared": flag(0),
    "cache": choice("none", "writethrough", "writeback", "unsafe", "directsync"),
    "format": choice(*IMAGE_FORMATS),
    "size": text(format="disk-size"),
    "backup": flag(),
    "replicate": flag(1),
    "rerror": choice("ignore", "report", "stop"),
    "werror": choice("enospc", "ignore", "report", "stop"),
    "aio": choice("native", "threads", "io_uring"),
    "discard": choice("ignore", "on"),
    "detect_zeroes": flag(),
    "serial": text(format="urlencoded", max_length=60),
}

_LIMITS: Options = {
    **{
        f"{unit}{direction}{peak}": number()
        for unit in ("mbps",)
        for direction in ("", "_rd", "_wr")
        for peak in ("", "_max")
    },
    **{f"iops{direction}{peak}": integer() for direction in ("", "_rd", "_wr") for peak in ("", "_max")},
    **{f"bps{direction}": integer() for direction in ("", "_rd", "_wr")},
    **{f"{unit}{direction}_max_length": integer(1) for unit in ("bps", "iops") for direction in ("", "_rd", "_wr")},
    **{
        f"{unit}{direction}_length": alias(f"{unit}{direction}_max_length")
        for unit in ("bps", "iops")
        for direction in ("_rd", "_wr")
    },
}

_BASE = {**_COMMON, **_LIMITS}
_SSD = {"ssd": flag()}
_IOTHREAD = {"iothread": flag()}
_READ_ONLY = {"ro": flag()}
_WWN = {"wwn": _WORLD_WIDE_NAME}

BUS_FORMATS: dict[str, Options] = {
    "ide": {**_BASE, **_SSD, **_WWN, "model": text(format="urlencoded", max_length=120)},
    "sata": {**_BASE, **_SSD, **_WWN},
    "scsi": {
        **_BASE,
        **_IOTHREAD,
        **_READ_ONLY,
        **_SSD,
        **_WWN,
        "queues": integer(2),
        "scsiblock": flag(0),
        "product": text(pattern=r"[A-Za-z0-9\-_\s]{,16}"),
        "vendor": text(pattern=r"[A-Za-z0-9\-_\s]{,8}"),
    },
    "virtio": {**_BASE, **_IOTHREAD, **_READ_ONLY},
}

EFIDISK_FORMAT: Options = {
    "volume": alias("file"),
    "file": _FILE,
    "format": choice(*IMAGE_FORMATS),
    "size": text(format="disk-size"),
    "efitype": choice("2m", "4m", default="2m"),
    "pre-enrolled-keys": flag(0),
    "ms-cert": choice("2011", "2023", "2023w", "2023k", default="2011"),
}

TPMSTATE_FORMAT: Options = {
    "volume": alias("file"),
    "file": _FILE,
    "format": choice("raw", "qcow2", "vmdk"),
    "size": text(format="disk-size"),
    "version": choice("v1.2", "v2.0", default="v1.2"),
}

UNUSED_FORMAT: Options = {
    "volume": alias("file"),
    "file": text(default_key=True, optional=False, format="pve-volume-id"),
}


def drive_options(*, with_allocation: bool = False) -> Options:
    """Every drive option; with_allocation adds what only a create or update call may say (`import-from`)."""
    extra = {"import-from": _IMPORT_FROM} if with_allocation else {}
    options: Options = {}
    for bus, count in DRIVES_PER_BUS.items():
        schema = properties({**BUS_FORMATS[bus], **extra})
        options.update({f"{bus}{index}": schema for index in range(count)})
    options["efidisk0"] = properties({**EFIDISK_FORMAT, **extra})
    options["tpmstate0"] = properties({**TPMSTATE_FORMAT, **extra})
    options.update({f"unused{index}": properties(UNUSED_FORMAT) for index in range(256)})
    return options
