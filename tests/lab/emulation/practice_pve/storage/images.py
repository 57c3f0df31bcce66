# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk images as files, made without qemu-img: sparse raw files and qcow2."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass

from practice_pve.guests.sizes import format_human
from practice_pve.rest.errors import ApiError, NotEmulated
from practice_pve.rest.worker_costs import count_copy
from practice_pve.storage import qcow2

_CHUNK = 1024 * 1024
_SECTOR = 512
_FIRST_BLOCK = 4096
_MAGIC = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk"}


@dataclass(frozen=True)
class ImageInfo:
    """What `qemu-img info` would say."""

    format: str
    size: int
    used: int
    parent: str | None
    changed: int


def detect_format(path: str) -> str:
    """The format by the file's first bytes; anything unknown is raw, as for qemu-img."""
    with open(path, "rb") as stream:
        return _MAGIC.get(stream.read(4), "raw")


def read_info(path: str, image_format: str | None = None) -> ImageInfo:
    """Size, use and parent of an image."""
    status = os.stat(path)
    used, changed = status.st_blocks * _SECTOR, int(status.st_ctime)
    if os.path.isdir(path):
        return ImageInfo("subvol", 0, 0, None, changed)
    found = image_format or detect_format(path)
    if found == "qcow2":
        with open(path, "rb") as stream:
            header = qcow2.read_header(stream)
        if header is None:
            raise ApiError(f"qemu-img: Could not open '{path}': Image is not in qcow2 format")
        return ImageInfo("qcow2", header.size, used, header.backing_file, changed)
    if found == "vmdk":
        with open(path, "rb") as stream:
            stream.seek(12)
            size = struct.unpack("<Q", stream.read(8))[0] * _SECTOR
        return ImageInfo("vmdk", size, used, None, changed)
    # qemu works in sectors: a file of 5 bytes is a disk of 512
    return ImageInfo("raw", -(-status.st_size // _SECTOR) * _SECTOR, used, None, changed)


def create_image(path: str, image_format: str, size: int) -> None:
    """Make an empty image and say so as qemu-img does."""
    if image_format == "raw":
        print(f"Formatting '{path}', fmt=raw size={size} preallocation=off")
        with open(path, "xb") as stream:
            # qemu-img writes the first block, so that a later direct access can tell the alignment
            stream.write(bytes(min(size, _FIRST_BLOCK)))
            stream.truncate(size)
    elif image_format == "qcow2":
        print(
            f"Formatting '{path}', fmt=qcow2 cluster_size=65536 extended_l2=off preallocation=metadata"
            f" compression_type=zlib size={size} lazy_refcounts=off refcount_bits=16"
        )
        qcow2.create(path, size)
    else:
        raise NotEmulated(f"a new {image_format} image")


def create_linked_image(path: str, backing_file: str, backing_format: str, size: int) -> None:
    """Make an overlay over a base image, named relative to the overlay's directory."""
    print(
        f"Formatting '{path}', fmt=qcow2 cluster_size=131072 extended_l2=on preallocation=metadata"
        f" compression_type=zlib size={size} backing_file={backing_file} backing_fmt={backing_format}"
        " lazy_refcounts=off refcount_bits=16"
    )
    qcow2.create(path, size, backing_file, backing_format)


def resize_image(path: str, image_format: str, size: int) -> None:
    """Make an image bigger."""
    if image_format == "raw":
        os.truncate(path, size)
    elif image_format == "qcow2":
        qcow2.resize(path, size)
    else:
        raise NotEmulated(f"resizing a {image_format} image")


def copy_image(source: str, source_format: str, target: str, target_format: str, size: int) -> None:
    """Copy the guest's view of an image into an existing one, sparsely, with qemu-img's progress lines."""
    count_copy()
    print_progress(0, size)
    if target_format == "qcow2":
        qcow2.write(target, size, lambda use: _read_blocks(source, source_format, use))
    else:
        with open(target, "r+b") as stream:

            def put(offset: int, block: bytes) -> None:
                stream.seek(offset)
                stream.write(block)

            _read_blocks(source, source_format, put)
            stream.truncate(max(size, 0))
    print_progress(size, size)
    print_progress(size, size)


def print_progress(done: int, total: int) -> None:
    """One line such as `transferred 0.0 B of 64.0 MiB (0.00%)`."""
    percent = 100 * done / total if total else 100
    print(f"transferred {format_human(done)} of {format_human(total)} ({percent:.2f}%)")


def _read_blocks(path: str, image_format: str, use: Callable[[int, bytes], None]) -> None:
    """Hand every block that is not all zero to `use`; holes of a sparse file are not even read."""
    if image_format == "qcow2":
        qcow2.read_blocks(path, use)
        return
    if image_format != "raw":
        raise NotEmulated(f"reading a {image_format} image")
    with open(path, "rb") as stream:
        end = os.fstat(stream.fileno()).st_size
        offset = 0
        while offset < end:
            try:
                offset = os.lseek(stream.fileno(), offset, os.SEEK_DATA)
            except OSError:
                return  # ENXIO: only a hole is left
            stop = os.lseek(stream.fileno(), offset, os.SEEK_HOLE)
            while offset < stop:
                block = os.pread(stream.fileno(), min(_CHUNK, stop - offset), offset)
                if block.count(0) != len(block):
                    use(offset, block)
                offset += len(block)
