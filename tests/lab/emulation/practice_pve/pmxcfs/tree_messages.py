# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of the tree as they travel through the process group."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("<QIIII")
_DIGEST_SIZE = 32


class Change(IntEnum):
    WRITE = 1
    MKDIR = 2
    DELETE = 3
    RENAME = 4
    CREATE = 5
    MTIME = 6
    UNLOCK_REQUEST = 7
    UNLOCK = 8


@dataclass(frozen=True, slots=True)
class TreeChange:
    """`offset` is the position of a write, the new size of a truncation, or the new mtime."""

    path: str
    target: str = ""
    data: bytes = b""
    offset: int = 0
    truncate: bool = False

    def encode(self) -> bytes:
        path = self.path.encode(errors="surrogateescape")
        target = self.target.encode(errors="surrogateescape")
        header = _HEADER.pack(self.offset, len(path), len(target), len(self.data), self.truncate)
        return header + path + target + self.data

    @classmethod
    def decode(cls, payload: bytes) -> TreeChange:
        """ValueError when the lengths do not fit."""
        if len(payload) < _HEADER.size:
            raise ValueError("received short fuse message")
        offset, path_length, target_length, data_length, truncate = _HEADER.unpack_from(payload)
        body = payload[_HEADER.size :]
        if len(body) != path_length + target_length + data_length:
            raise ValueError("received mailformed fuse message")
        target_end = path_length + target_length
        return cls(
            body[:path_length].decode(errors="surrogateescape"),
            body[path_length:target_end].decode(errors="surrogateescape"),
            body[target_end:],
            offset,
            bool(truncate),
        )


def encode_unlock(path: str, digest: bytes) -> bytes:
    return digest + path.encode(errors="surrogateescape")


def decode_unlock(payload: bytes) -> tuple[str, bytes]:
    return payload[_DIGEST_SIZE:].decode(errors="surrogateescape"), payload[:_DIGEST_SIZE]
