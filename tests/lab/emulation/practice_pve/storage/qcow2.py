# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The qcow2 format, as much of it as a practice node needs: an empty or overlay image, reading, writing, growing."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = b"QFI\xfb"
CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQII")
_ENTRIES = CLUSTER // 8
_COPIED = 1 << 63
_COMPRESSED = 1 << 62
_OFFSET_MASK = 0x00FFFFFFFFFFFE00
_BACKING_FORMAT_EXTENSION = 0xE2792ACA
PutBlock = Callable[[int, bytes], None]


@dataclass(frozen=True)
class Header:
    """The fields that matter."""

    version: int
    size: int
    cluster_bits: int
    level1_entries: int
    level1_offset: int
    backing_file: str | None


def read_header(stream: BinaryIO) -> Header | None:
    """The header, None when the file is something else."""
    stream.seek(0)
    data = stream.read(CLUSTER)
    if len(data) < 72 or data[:4] != MAGIC:
        return None
    version, backing_offset, backing_length, cluster_bits, size = struct.unpack(">IQIIQ", data[4:32])
    level1_entries, level1_offset = struct.unpack(">IQ", data[36:48])
    backing = data[backing_offset : backing_offset + backing_length].decode() if backing_offset else None
    return Header(version, size, cluster_bits, level1_entries, level1_offset, backing)


def create(path: str, size: int, backing_file: str | None = None, backing_format: str = "qcow2") -> None:
    """Make an image without data; with a backing file it is an overlay."""
    with open(path, "xb") as stream:
        _write_image(stream, size, {}, backing_file, backing_format)


def write(path: str, size: int, fill: Callable[[PutBlock], None]) -> None:
    """Replace an image's content by the blocks that `fill` puts."""
    clusters: dict[int, bytearray] = {}

    def put(offset: int, block: bytes) -> None:
        while block:
            start = offset % CLUSTER
            part = block[: CLUSTER - start]
            cluster = clusters.setdefault(offset // CLUSTER, bytearray(CLUSTER))
            cluster[start : start + len(part)] = part
            offset, block = offset + len(part), block[len(part) :]

    fill(put)
    with open(path, "wb") as stream:
        _write_image(stream, size, clusters, None, "qcow2")


def resize(path: str, size: int) -> None:
    """Grow the image; its tables must already reach far enough, which `create` sees to by spare entries."""
    with open(path, "r+b") as stream:
        header = read_header(stream)
        if header is None or -(-size // (CLUSTER * _ENTRIES)) > header.level1_entries:
            raise ValueError(f"cannot grow '{path}' that far")
        stream.seek(24)
        stream.write(struct.pack(">Q", size))


def read_blocks(path: str, use: PutBlock) -> None:
    """Hand every allocated cluster to `use`; clusters of the backing file come first."""
    with open(path, "rb") as stream:
        header = read_header(stream)
        if header is None:
            return
        if header.backing_file:
            backing = os.path.join(os.path.dirname(path), header.backing_file)
            with open(backing, "rb") as below:
                is_image = below.read(4) == MAGIC
            if is_image:
                read_blocks(backing, use)
        cluster = 1 << header.cluster_bits
        per_table = cluster // 8
        stream.seek(header.level1_offset)
        level1 = struct.unpack(f">{header.level1_entries}Q", stream.read(8 * header.level1_entries))
        for table_number, table in enumerate(level1):
            if not table & _OFFSET_MASK:
                continue
            stream.seek(table & _OFFSET_MASK)
            entries = struct.unpack(f">{per_table}Q", stream.read(cluster))
            for index, entry in enumerate(entries):
                offset = (table_number * per_table + index) * cluster
                if entry and offset < header.size:
                    block = _read_cluster(stream, entry, header.cluster_bits)
                    if block:
                        use(offset, block[: header.size - offset])


def _read_cluster(stream: BinaryIO, entry: int, cluster_bits: int) -> bytes:
    cluster = 1 << cluster_bits
    if entry & _COMPRESSED:
        offset_bits = 62 - (cluster_bits - 8)
        offset = entry & ((1 << offset_bits) - 1)
        sectors = ((entry & ~(_COPIED | _COMPRESSED)) >> offset_bits) + 1
        stream.seek(offset)
        return zlib.decompressobj(-12).decompress(stream.read(sectors * 512 - offset % 512), cluster)
    if entry & 1 or not entry & _OFFSET_MASK:
        return b""
    stream.seek(entry & _OFFSET_MASK)
    return stream.read(cluster)


def _write_image(
    stream: BinaryIO, size: int, clusters: dict[int, bytearray], backing_file: str | None, backing_format: str
) -> None:
    """Lay out header, reference counts, level 1 and 2 tables and data one after the other."""
    # spare level 1 entries leave room to grow by 8 TiB without moving the table
    level1_entries = max(-(-size // (CLUSTER * _ENTRIES)), 1) + 16384
    tables = sorted({number // _ENTRIES for number in clusters})
    level1_clusters = -(-level1_entries * 8 // CLUSTER)
    used = 1 + level1_clusters + len(tables) + len(clusters)
    counts_per_block = CLUSTER // 2
    blocks = 1
    while blocks * counts_per_block < used + blocks + 1:
        blocks += 1
    total = used + blocks + 1
    block_start, level1_start = 2, 2 + blocks
    table_start = level1_start + level1_clusters
    data_start = table_start + len(tables)

    extension = b""
    if backing_file:
        name = backing_format.encode()
        extension = struct.pack(">II", _BACKING_FORMAT_EXTENSION, len(name)) + name.ljust(-(-len(name) // 8) * 8, b"\0")
    extension += struct.pack(">II", 0, 0)
    backing = (backing_file or "").encode()
    backing_offset = _HEADER.size + len(extension) if backing else 0
    header = _HEADER.pack(
        MAGIC, 3, backing_offset, len(backing), CLUSTER_BITS, size, 0, level1_entries, level1_start * CLUSTER, CLUSTER,
        1, 0, 0, 0, 0, 0, 4, _HEADER.size,
    )  # fmt: skip
    stream.write(header + extension + backing)
    stream.seek(CLUSTER)
    stream.write(b"".join(struct.pack(">Q", (block_start + index) * CLUSTER) for index in range(blocks)))
    stream.seek(block_start * CLUSTER)
    stream.write(struct.pack(">H", 1) * total)
    for index, table in enumerate(tables):
        stream.seek(level1_start * CLUSTER + 8 * table)
        stream.write(struct.pack(">Q", (table_start + index) * CLUSTER | _COPIED))
    for index, number in enumerate(sorted(clusters)):
        place = (data_start + index) * CLUSTER
        stream.seek((table_start + tables.index(number // _ENTRIES)) * CLUSTER + 8 * (number % _ENTRIES))
        stream.write(struct.pack(">Q", place | _COPIED))
        stream.seek(place)
        stream.write(clusters[number])
    stream.truncate(total * CLUSTER)
