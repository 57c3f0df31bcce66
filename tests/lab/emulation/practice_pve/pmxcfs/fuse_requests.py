# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translates the kernel's requests into calls of the file system, as libfuse 2.9's path-based interface does."""

from __future__ import annotations

import errno
import stat
import threading
from collections.abc import Callable

from practice_pve.pmxcfs import fuse_protocol as fuse
from practice_pve.pmxcfs.filesystem import UNCHANGED_ID, Filesystem
from practice_pve.pmxcfs.fuse_nodes import NodeTable
from practice_pve.pmxcfs.fuse_protocol import Opcode
from practice_pve.pmxcfs.tree import TreeError

Handler = Callable[[int, memoryview], bytes | None]


class FuseRequests:
    """Whatever has no handler answers ENOSYS; the kernel turns that into EPERM (links), ENOTSUP (attributes, ACLs)
    or success (fsync, flush), exactly as on a real node."""

    def __init__(self, filesystem: Filesystem) -> None:
        self._files = filesystem
        self._nodes = NodeTable()
        self._directories: dict[int, list[tuple[str, int]]] = {}
        self._next_directory = 1
        self._lock = threading.Lock()
        self._handlers: dict[int, Handler] = {
            Opcode.INIT: self._init,
            Opcode.LOOKUP: self._look_up,
            Opcode.FORGET: self._forget,
            Opcode.BATCH_FORGET: self._forget_many,
            Opcode.GETATTR: self._get_attributes,
            Opcode.SETATTR: self._set_attributes,
            Opcode.READLINK: self._read_link,
            Opcode.MKNOD: self._make_node,
            Opcode.MKDIR: self._make_directory,
            Opcode.UNLINK: self._unlink,
            Opcode.RMDIR: self._remove_directory,
            Opcode.RENAME: self._rename,
            Opcode.OPEN: self._open,
            Opcode.CREATE: self._create,
            Opcode.READ: self._read,
            Opcode.WRITE: self._write,
            Opcode.RELEASE: self._release,
            Opcode.STATFS: self._usage,
            Opcode.OPENDIR: self._open_directory,
            Opcode.READDIR: self._read_directory,
            Opcode.RELEASEDIR: self._release_directory,
            Opcode.INTERRUPT: self._ignore,
            Opcode.DESTROY: self._acknowledge,
        }

    def answer(self, opcode: int, node_id: int, body: memoryview) -> bytes | None:
        handler = self._handlers.get(opcode)
        if handler is None:
            raise TreeError(errno.ENOSYS)
        return handler(node_id, body)

    def _ignore(self, _node_id: int, _body: memoryview) -> None:
        return None

    def _acknowledge(self, _node_id: int, _body: memoryview) -> bytes:
        return b""

    def _init(self, _node_id: int, body: memoryview) -> bytes:
        _major, _minor, read_ahead, flags = fuse.INIT_IN.unpack_from(body)
        wanted = flags & (fuse.ASYNC_READ | fuse.BIG_WRITES)
        return fuse.INIT_OUT.pack(7, fuse.MINOR_VERSION, read_ahead, wanted, 0, 0, fuse.MAX_WRITE)

    # -- names -----------------------------------------------------------------------------------------------------

    def _entry(self, parent_id: int, name: str) -> bytes:
        attributes = self._files.attributes(self._nodes.path(parent_id, name))
        return fuse.pack_entry(self._nodes.look_up(parent_id, name), attributes)

    def _look_up(self, node_id: int, body: memoryview) -> bytes:
        return self._entry(node_id, fuse.read_name(body)[0])

    def _forget(self, node_id: int, body: memoryview) -> None:
        self._nodes.forget(node_id, fuse.FORGET_IN.unpack_from(body)[0])

    def _forget_many(self, _node_id: int, body: memoryview) -> None:
        count, _dummy = fuse.BATCH_FORGET_IN.unpack_from(body)
        for position in range(count):
            offset = fuse.BATCH_FORGET_IN.size + position * fuse.FORGET_ONE.size
            self._nodes.forget(*fuse.FORGET_ONE.unpack_from(body, offset))

    def _make_node(self, node_id: int, body: memoryview) -> bytes:
        mode = fuse.MKNOD_IN.unpack_from(body)[0]
        if not stat.S_ISREG(mode):
            raise TreeError(errno.ENOSYS)
        name, _rest = fuse.read_name(body[fuse.MKNOD_IN.size :])
        self._files.create(self._nodes.path(node_id, name))
        return self._entry(node_id, name)

    def _make_directory(self, node_id: int, body: memoryview) -> bytes:
        name, _rest = fuse.read_name(body[fuse.MKDIR_IN.size :])
        self._files.make_directory(self._nodes.path(node_id, name))
        return self._entry(node_id, name)

    def _unlink(self, node_id: int, body: memoryview) -> bytes:
        name, _rest = fuse.read_name(body)
        if self._nodes.is_open(node_id, name):
            self._hide(node_id, name)
            return b""
        self._files.delete(self._nodes.path(node_id, name))
        self._nodes.removed(node_id, name)
        return b""

    def _hide(self, parent_id: int, name: str) -> None:
        """A file in use stays under another name until its last user closes it."""
        hidden = self._nodes.hidden_name(parent_id, name)
        self._files.rename(self._nodes.path(parent_id, name), self._nodes.path(parent_id, hidden))
        self._nodes.renamed(parent_id, name, parent_id, hidden, hide=True)

    def _remove_directory(self, node_id: int, body: memoryview) -> bytes:
        name, _rest = fuse.read_name(body)
        self._files.delete(self._nodes.path(node_id, name))
        self._nodes.removed(node_id, name)
        return b""

    def _rename(self, node_id: int, body: memoryview) -> bytes:
        (new_parent,) = fuse.RENAME_IN.unpack_from(body)
        name, rest = fuse.read_name(body[fuse.RENAME_IN.size :])
        new_name, _rest = fuse.read_name(rest)
        source, target = self._nodes.path(node_id, name), self._nodes.path(new_parent, new_name)
        if self._nodes.is_open(new_parent, new_name):
            self._hide(new_parent, new_name)
        self._files.rename(source, target)
        self._nodes.renamed(node_id, name, new_parent, new_name)
        return b""

    def _read_link(self, node_id: int, _body: memoryview) -> bytes:
        return self._files.link_target(self._nodes.path(node_id)).encode()

    # -- attributes ------------------------------------------------------------------------------------------------

    def _get_attributes(self, node_id: int, _body: memoryview) -> bytes:
        return fuse.pack_attributes(node_id, self._files.attributes(self._nodes.path(node_id)))

    def _set_attributes(self, node_id: int, body: memoryview) -> bytes:
        values = fuse.SETATTR_IN.unpack_from(body)
        valid, size, mtime, mode, uid, gid = values[0], values[3], values[6], values[11], values[13], values[14]
        path = self._nodes.path(node_id)
        if valid & fuse.SET_MODE:
            self._files.change_mode(path, mode)
        if valid & (fuse.SET_UID | fuse.SET_GID):
            self._files.change_owner(
                uid if valid & fuse.SET_UID else UNCHANGED_ID, gid if valid & fuse.SET_GID else UNCHANGED_ID
            )
        if valid & fuse.SET_SIZE:
            self._files.truncate(path, size)
        if valid & fuse.SET_ATIME and valid & fuse.SET_MTIME:
            self._files.set_mtime(path, mtime & 0xFFFFFFFF)
        return self._get_attributes(node_id, body)

    def _usage(self, _node_id: int, _body: memoryview) -> bytes:
        blocks, free, inodes, free_inodes, block_size = self._files.usage()
        return fuse.STATFS_OUT.pack(blocks, free, free, inodes, free_inodes, block_size, 256, 0, 0)

    # -- content ---------------------------------------------------------------------------------------------------

    def _open(self, node_id: int, _body: memoryview) -> bytes:
        self._files.open(self._nodes.path(node_id))
        self._nodes.open(node_id)
        return fuse.OPEN_OUT.pack(0, fuse.DIRECT_IO, 0)

    def _create(self, node_id: int, body: memoryview) -> bytes:
        name, _rest = fuse.read_name(body[fuse.CREATE_IN.size :])
        path = self._nodes.path(node_id, name)
        self._files.create(path)
        entry = self._entry(node_id, name)
        self._nodes.open(int.from_bytes(entry[:8], "little"))
        return entry + fuse.OPEN_OUT.pack(0, 0, 0)

    def _read(self, node_id: int, body: memoryview) -> bytes:
        _handle, offset, size, *_rest = fuse.READ_IN.unpack_from(body)
        return self._files.read(self._nodes.path(node_id), size, offset)

    def _write(self, node_id: int, body: memoryview) -> bytes:
        _handle, offset, size, *_rest = fuse.WRITE_IN.unpack_from(body)
        data = bytes(body[fuse.WRITE_IN.size : fuse.WRITE_IN.size + size])
        written = self._files.write(self._nodes.path(node_id), data, offset)
        return written.to_bytes(8, "little")

    def _release(self, node_id: int, _body: memoryview) -> bytes:
        hidden = self._nodes.close(node_id)
        if hidden is not None:
            self._files.delete(hidden)
        return b""

    # -- directories -----------------------------------------------------------------------------------------------

    def _open_directory(self, _node_id: int, _body: memoryview) -> bytes:
        with self._lock:
            handle = self._next_directory
            self._next_directory += 1
            self._directories[handle] = []
        return fuse.OPEN_OUT.pack(handle, 0, 0)

    def _read_directory(self, node_id: int, body: memoryview) -> bytes:
        handle, offset, size, *_rest = fuse.READ_IN.unpack_from(body)
        if offset == 0:
            self._directories[handle] = self._files.names(self._nodes.path(node_id))
        answer = b""
        for position, (name, kind) in enumerate(self._directories[handle][offset:], start=offset + 1):
            record = fuse.pack_directory_entry(name.encode(errors="surrogateescape"), kind, position)
            if len(answer) + len(record) > size:
                break
            answer += record
        return answer

    def _release_directory(self, _node_id: int, body: memoryview) -> bytes:
        self._directories.pop(fuse.RELEASE_IN.unpack_from(body)[0], None)
        return b""
