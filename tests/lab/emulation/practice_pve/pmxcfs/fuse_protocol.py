# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of /dev/fuse (protocol 7.19, the version that PVE's libfuse 2.9 speaks)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

MINOR_VERSION = 19
MAX_WRITE = 128 * 1024
BUFFER_SIZE = MAX_WRITE + 4096
ROOT_ID = 1
CACHE_SECONDS = 1  # libfuse's default for names and attributes: why a lost quorum is seen up to a second late
UNKNOWN_INODE = 0xFFFFFFFF

ASYNC_READ = 1 << 0
BIG_WRITES = 1 << 5
DIRECT_IO = 1 << 0

SET_MODE, SET_UID, SET_GID, SET_SIZE, SET_ATIME, SET_MTIME = 1, 2, 4, 8, 16, 32


class Opcode(IntEnum):
    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42


IN_HEADER = struct.Struct("<IIQQIIII")  # length, opcode, unique, node, uid, gid, pid, padding
OUT_HEADER = struct.Struct("<IiQ")  # length, error, unique
INIT_IN = struct.Struct("<IIII")
INIT_OUT = struct.Struct("<IIIIHHI")
FORGET_IN = struct.Struct("<Q")
BATCH_FORGET_IN = struct.Struct("<II")
FORGET_ONE = struct.Struct("<QQ")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
ENTRY_OUT = struct.Struct("<QQQQII")
ATTRIBUTES_OUT = struct.Struct("<QII")
SETATTR_IN = struct.Struct("<IIQQQQQQIIIIIIII")
MKNOD_IN = struct.Struct("<IIII")
MKDIR_IN = struct.Struct("<II")
RENAME_IN = struct.Struct("<Q")
OPEN_OUT = struct.Struct("<QII")
READ_IN = struct.Struct("<QQIIQII")
WRITE_IN = struct.Struct("<QQIIQII")
RELEASE_IN = struct.Struct("<QIIQ")
CREATE_IN = struct.Struct("<IIII")
STATFS_OUT = struct.Struct("<QQQQQIIII24x")
DIRECTORY_ENTRY = struct.Struct("<QQII")


@dataclass(frozen=True, slots=True)
class Attributes:
    mode: int
    size: int = 0
    blocks: int = 0
    mtime: int = 0
    links: int = 1
    gid: int = 0

    def pack(self, inode: int) -> bytes:
        time = self.mtime
        return ATTRIBUTES.pack(
            inode, self.size, self.blocks, time, time, time, 0, 0, 0, self.mode, self.links, 0, self.gid, 0, 0, 0
        )


def pack_entry(node_id: int, attributes: Attributes) -> bytes:
    return ENTRY_OUT.pack(node_id, 0, CACHE_SECONDS, CACHE_SECONDS, 0, 0) + attributes.pack(node_id)


def pack_attributes(node_id: int, attributes: Attributes) -> bytes:
    return ATTRIBUTES_OUT.pack(CACHE_SECONDS, 0, 0) + attributes.pack(node_id)


def pack_directory_entry(name: bytes, kind: int, offset: int) -> bytes:
    record = DIRECTORY_ENTRY.pack(UNKNOWN_INODE, offset, len(name), kind) + name
    return record.ljust((len(record) + 7) & ~7, b"\0")


def read_name(body: memoryview) -> tuple[str, memoryview]:
    """A zero-terminated name and what follows it."""
    raw = bytes(body)
    end = raw.index(b"\0")
    return raw[:end].decode(errors="surrogateescape"), body[end + 1 :]
