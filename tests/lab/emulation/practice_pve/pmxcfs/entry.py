# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file or directory of the tree, and the digests by which members compare their trees."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

DIRECTORY = 4  # the numbers of dirent's d_type, as PVE's table stores them
REGULAR = 8
VERSION_NAME = "__version__"

_FULL = struct.Struct("<QQIIIBQ")
_CONTENT = struct.Struct("<QIIIBQ")
_UPDATE = struct.Struct("<QQQIIBI")
_INDEX_HEADER = struct.Struct("<QIII")
_INDEX_ENTRY = struct.Struct("<Q32s")


@dataclass(slots=True)
class Entry:
    inode: int
    parent: int
    version: int
    writer: int
    mtime: int
    kind: int
    name: str
    data: bytes = b""
    children: dict[str, Entry] = field(default_factory=dict)

    @property
    def is_directory(self) -> bool:
        return self.kind == DIRECTORY

    @property
    def size(self) -> int:
        return len(self.data)

    def feed_digest(self, digest: hashlib._Hash) -> None:
        digest.update(_FULL.pack(self.inode, self.version, self.writer, self.mtime, self.size, self.kind, self.parent))
        digest.update(self.name.encode(errors="surrogateescape"))
        digest.update(self.data)

    def digest(self) -> bytes:
        """Identity and content: what a lock is recognised by."""
        digest = hashlib.sha256()
        self.feed_digest(digest)
        return digest.digest()

    def content_digest(self) -> bytes:
        """What the index holds beside the inode's number."""
        digest = hashlib.sha256(_CONTENT.pack(self.version, self.writer, self.mtime, self.size, self.kind, self.parent))
        digest.update(self.name.encode(errors="surrogateescape"))
        digest.update(self.data)
        return digest.digest()

    def to_update(self) -> bytes:
        """The entry as it travels to a member that lacks it."""
        name = self.name.encode(errors="surrogateescape")
        header = _UPDATE.pack(self.parent, self.inode, self.version, self.writer, self.mtime, self.kind, len(name))
        return header + name + self.data

    @classmethod
    def from_update(cls, message: bytes) -> Entry:
        parent, inode, version, writer, mtime, kind, name_length = _UPDATE.unpack_from(message)
        start = _UPDATE.size
        name = message[start : start + name_length].decode(errors="surrogateescape")
        return cls(inode, parent, version, writer, mtime, kind, name, bytes(message[start + name_length :]))


@dataclass(frozen=True, slots=True)
class Index:
    """A tree in short: who is newest, and which entries differ."""

    version: int
    writer: int
    mtime: int
    entries: tuple[tuple[int, bytes], ...]  # (inode, content digest), by inode

    def encode(self) -> bytes:
        header = _INDEX_HEADER.pack(self.version, self.writer, self.mtime, len(self.entries))
        return header + b"".join(_INDEX_ENTRY.pack(inode, digest) for inode, digest in self.entries)

    @classmethod
    def decode(cls, message: bytes) -> Index:
        """ValueError when the message is no index."""
        try:
            version, writer, mtime, count = _INDEX_HEADER.unpack_from(message)
            entries = tuple(_INDEX_ENTRY.iter_unpack(message[_INDEX_HEADER.size :]))
        except struct.error as error:
            raise ValueError(str(error)) from error
        if len(entries) != count:
            raise ValueError("index has the wrong length")
        return cls(version, writer, mtime, entries)
