# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration tree in memory, with the database behind it. Every change raises the version of the whole."""

from __future__ import annotations

import errno
import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable

from practice_pve.pmxcfs.database import Database, DatabaseError
from practice_pve.pmxcfs.entry import DIRECTORY, REGULAR, Entry, Index
from practice_pve.pmxcfs.guest_list import GuestList
from practice_pve.pmxcfs.lock_times import LockTimes
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.paths import guest_config, is_lock_directory, split

MAX_FILE_SIZE = 1024 * 1024
MAX_TOTAL_SIZE = 128 * 1024 * 1024
MAX_INODES = 256 * 1024
BLOCK_SIZE = 4096


class TreeError(OSError):
    """A refused operation; carries the errno that the caller of the system call gets."""

    def __init__(self, number: int) -> None:
        super().__init__(number, errno.errorcode[number])


class Tree:
    def __init__(
        self,
        database: Database,
        guests: GuestList,
        note_change: Callable[[str], None],
        note_reload: Callable[[], None],
    ) -> None:
        self.lock = threading.RLock()
        self.broken = False
        self._database = database
        self._guests = guests
        self._note_change = note_change
        self._note_reload = note_reload
        self._root, self._index = database.load()
        if not self._root.version:
            self._root.version, self._root.mtime = 1, int(time.time())
            database.write(self._root)
        self.locks = LockTimes()
        note_reload()
        if not guests.rebuild(self._root):
            raise DatabaseError("two guests have the same id")
        self.locks.reload(self._root)

    def close(self) -> None:
        with self.lock:
            self._database.close()

    def reopen(self) -> None:
        """Go on with a database that was closed for a fork; nobody else can have changed it meanwhile."""
        with self.lock:
            self._database.reopen()

    @property
    def version(self) -> int:
        return self._root.version

    # -- reading ---------------------------------------------------------------------------------------------------

    def find(self, path: str) -> Entry | None:
        with self.lock:
            entry = self._root
            for name in path.split("/"):
                if name:
                    found = entry.children.get(name)
                    if found is None:
                        return None
                    entry = found
            return entry

    def read(self, path: str) -> bytes | None:
        """A file's content; None for what is no file."""
        entry = self.find(path)
        return None if entry is None or entry.is_directory else entry.data

    def list(self, path: str) -> list[tuple[str, int]]:
        with self.lock:
            entry = self.find(path)
            if entry is None or not entry.is_directory:
                return []
            return [(child.name, child.kind) for child in entry.children.values()]

    def usage(self) -> tuple[int, int]:
        """Bytes and entries, the root included."""
        with self.lock:
            return sum(entry.size for entry in self._index.values()), len(self._index)

    # -- changing --------------------------------------------------------------------------------------------------

    def _parent_for(self, path: str) -> tuple[Entry, str, str]:
        self._refuse_when_broken()
        directory, name = split(path)
        parent = self.find(directory)
        if parent is None:
            raise TreeError(errno.ENOENT)
        if not parent.is_directory:
            raise TreeError(errno.ENOTDIR)
        if name in ("", ".", ".."):
            raise TreeError(errno.EACCES)
        return parent, directory, name

    def _refuse_when_broken(self) -> None:
        if self.broken:
            raise TreeError(errno.EIO)

    def _raise_version(self, writer: int, mtime: int) -> int:
        self._root.version += 1
        self._root.mtime = mtime
        self._root.writer = writer
        return self._root.version

    def _store(self, entry: Entry | None = None, delete_inode: int = 0) -> None:
        try:
            self._database.write(self._root, entry, delete_inode)
        except sqlite3.Error as error:
            # As the real one: memory and disk differ from now on, so nothing is accepted until a restart.
            log.critical("database", f"commit transaction failed: {error}")
            self.broken = True
            raise TreeError(errno.EIO) from error

    def make_directory(self, path: str, writer: int, mtime: int) -> None:
        with self.lock:
            parent, directory, name = self._parent_for(path)
            if name in parent.children:
                raise TreeError(errno.EEXIST)
            version = self._raise_version(writer, mtime)
            entry = Entry(version, parent.inode, version, writer, mtime, DIRECTORY, name)
            parent.children[name] = self._index[version] = entry
            self._store(entry)
            if directory == "priv/lock":
                self.locks.start(path, entry.digest())

    def create(self, path: str, writer: int, mtime: int) -> None:
        with self.lock:
            parent, _directory, name = self._parent_for(path)
            config = guest_config(path)
            if config is not None and self._guests.exists_elsewhere(config):
                raise TreeError(errno.EEXIST)
            found = parent.children.get(name)
            if found is not None:
                raise TreeError(errno.ENOTDIR if found.is_directory else errno.EEXIST)
            version = self._raise_version(writer, mtime)
            entry = Entry(version, parent.inode, version, writer, mtime, REGULAR, name)
            parent.children[name] = self._index[version] = entry
            self._note_change(path)
            self._store(entry)
            if config is not None:
                self._guests.register(config)

    def write(self, path: str, writer: int, mtime: int, data: bytes, offset: int, truncate: bool = False) -> int:
        with self.lock:
            self._refuse_when_broken()
            if offset + len(data) > MAX_FILE_SIZE:
                raise TreeError(errno.EFBIG)
            parent, _directory, name = self._parent_for(path)
            config = guest_config(path)
            if config is not None and self._guests.exists_elsewhere(config):
                raise TreeError(errno.EEXIST)
            entry = parent.children.get(name)
            if entry is None:
                raise TreeError(errno.ENOENT)
            if entry.is_directory:
                raise TreeError(errno.ENOTDIR)
            entry.version = self._raise_version(writer, mtime)
            entry.writer, entry.mtime = writer, mtime
            end = offset + len(data)
            tail = b"" if truncate else entry.data[end:]
            entry.data = entry.data[:offset].ljust(offset, b"\0") + data + tail
            self._note_change(path)
            self._store(entry)
            if config is not None:
                self._guests.register(config)
            return len(data)

    def set_mtime(self, path: str, writer: int, mtime: int) -> None:
        with self.lock:
            parent, directory, name = self._parent_for(path)
            entry = parent.children.get(name)
            if entry is None:
                raise TreeError(errno.ENOENT)
            held_lock = directory == "priv/lock" and entry.is_directory
            # utime(0, 0) asks for a lock to be given up, so a lock's time can only grow, and only by its owner.
            if held_lock and (mtime < entry.mtime or entry.writer != writer):
                raise TreeError(errno.EACCES)
            entry.version = self._raise_version(writer, mtime)
            entry.writer, entry.mtime = writer, mtime
            self._note_change(path)
            self._store(entry)
            if held_lock:
                self.locks.start(path, entry.digest())

    def delete(self, path: str, writer: int, mtime: int) -> None:
        with self.lock:
            self._refuse_when_broken()
            entry = self.find(path)
            if entry is None:
                raise TreeError(errno.ENOENT)
            if entry is self._root:
                raise TreeError(errno.EACCES)
            if entry.children:
                raise TreeError(errno.ENOTEMPTY)
            if entry.is_directory:
                self.locks.forget(path)
            self._note_change(path)
            self._take_out(entry)
            self._raise_version(writer, mtime)
            self._store(delete_inode=entry.inode)
            config = guest_config(path)
            if config is not None:
                self._guests.remove(config.vmid)

    def _take_out(self, entry: Entry) -> None:
        del self._index[entry.parent].children[entry.name]
        del self._index[entry.inode]

    def rename(self, source: str, target: str, writer: int, mtime: int) -> None:
        with self.lock:
            self._refuse_when_broken()
            entry = self.find(source)
            if entry is None:
                raise TreeError(errno.ENOENT)
            if entry is self._root:
                raise TreeError(errno.EACCES)
            old_config = guest_config(source)
            new_config = None if entry.is_directory else guest_config(target)
            # A guest may move to another node under its own id, nothing else may take that id.
            keeps_id = old_config is not None and new_config is not None and old_config.vmid == new_config.vmid
            if new_config is not None and not keeps_id and self._guests.exists_elsewhere(new_config):
                raise TreeError(errno.EEXIST)
            if entry.is_directory and is_lock_directory(source):
                raise TreeError(errno.EACCES)
            replaced = self.find(target)
            if replaced is not None:
                parent, name = self._index[replaced.parent], replaced.name
            else:
                parent, _directory, name = self._parent_for(target)
            # Only empty directories can be moved or replaced.
            if entry.children or (replaced is not None and replaced.children):
                raise TreeError(errno.ENOTEMPTY)
            self._note_change(source)
            self._note_change(target)
            if replaced is not None:
                self._take_out(replaced)
            self._take_out(entry)
            version = self._raise_version(writer, mtime)
            moved = Entry(entry.inode, parent.inode, version, writer, mtime, entry.kind, name, entry.data)
            parent.children[name] = self._index[moved.inode] = moved
            self._store(moved, replaced.inode if replaced is not None else 0)
            if not moved.is_directory:
                if old_config is not None:
                    self._guests.remove(old_config.vmid)
                if new_config is not None:
                    self._guests.register(new_config)

    # -- comparing and taking over --------------------------------------------------------------------------------

    def index(self) -> Index:
        with self.lock:
            entries = tuple((inode, self._index[inode].content_digest()) for inode in sorted(self._index))
            return Index(self._root.version, self._root.writer, self._root.mtime, entries)

    def checksum(self) -> bytes:
        with self.lock:
            digest = hashlib.sha256()
            for inode in sorted(self._index):
                self._index[inode].feed_digest(digest)
            return digest.digest()

    def entry_of(self, inode: int) -> Entry:
        return self._index[inode]

    def take_over(self, leader: Index, updates: Iterable[Entry]) -> bool:
        """Become the leader's tree. False (and broken) when the result is not what the leader announced."""
        with self.lock:
            wanted = {inode for inode, _digest in leader.entries}
            surplus = [inode for inode in self._index if inode not in wanted]
            try:
                with self._database.transaction():
                    self._database.apply_update(surplus, updates)
                    root, index = self._database.load()
                    taken = Index(
                        root.version,
                        root.writer,
                        root.mtime,
                        tuple((inode, index[inode].content_digest()) for inode in sorted(index)),
                    )
                    if taken != leader:
                        raise DatabaseError("new index does not match master index - internal error")
            except (sqlite3.Error, DatabaseError) as error:
                log.critical("database", str(error))
                self.broken = True
                return False
            self._root, self._index = root, index
            self._note_reload()
            if not self._guests.rebuild(root):
                log.critical("database", "memdb_recreate_vmlist failed")
                self.broken = True
                return False
            self.locks.reload(root)
            return True
