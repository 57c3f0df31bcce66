# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.db: PVE's table `tree`, one row per entry, row 0 for the version of the whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from practice_pve.pmxcfs.entry import DIRECTORY, REGULAR, VERSION_NAME, Entry
from practice_pve.pmxcfs.log import log

_CREATE = (
    "CREATE TABLE IF NOT EXISTS tree ("
    "  inode INTEGER PRIMARY KEY NOT NULL,"
    "  parent INTEGER NOT NULL CHECK(typeof(parent)=='integer'),"
    "  version INTEGER NOT NULL CHECK(typeof(version)=='integer'),"
    "  writer INTEGER NOT NULL CHECK(typeof(writer)=='integer'),"
    "  mtime INTEGER NOT NULL CHECK(typeof(mtime)=='integer'),"
    "  type INTEGER NOT NULL CHECK(typeof(type)=='integer'),"
    "  name TEXT NOT NULL,"
    "  data BLOB)"
)
_REPLACE = "REPLACE INTO tree (inode, parent, version, writer, mtime, type, name, data) VALUES (?,?,?,?,?,?,?,?)"
_LOAD = "SELECT inode, parent, version, writer, mtime, type, name, data FROM tree"


class DatabaseError(Exception):
    """The database cannot be opened or does not describe a tree."""


class Database:
    def __init__(self, path: str) -> None:
        self._path = path
        self._open()

    def _open(self) -> None:
        path = self._path
        try:
            # One connection, guarded by the tree's lock, used by whichever thread serves a request.
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            os.chmod(path, 0o600)
            self._connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(_CREATE)
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(str(error)) from error

    def close(self) -> None:
        self._connection.close()

    def reopen(self) -> None:
        """After a fork: a child inherits the connection but not its locks, so that any other program that looks into
        the database would take itself for the last user and delete the write-ahead log under the daemon."""
        self._open()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TRANSACTION")
            raise
        self._connection.execute("COMMIT TRANSACTION")

    def _replace(self, entry: Entry) -> None:
        name: str | bytes = entry.name
        try:
            entry.name.encode()
        except UnicodeEncodeError:
            # sqlite3 refuses lone surrogates; a cast keeps the column's type for names that are no UTF-8.
            name = entry.name.encode(errors="surrogateescape")
        statement = _REPLACE if isinstance(name, str) else _REPLACE.replace("?,?)", "CAST(? AS TEXT),?)")
        self._connection.execute(
            statement,
            (entry.inode, entry.parent, entry.version, entry.writer, entry.mtime, entry.kind, name, entry.data or None),
        )

    def _replace_version(self, root: Entry) -> None:
        self._replace(Entry(0, 0, root.version, root.writer, root.mtime, REGULAR, VERSION_NAME))

    def _delete(self, inode: int) -> None:
        self._connection.execute("DELETE FROM tree WHERE inode = ?", (inode,))

    def write(self, root: Entry, entry: Entry | None = None, delete_inode: int = 0) -> None:
        """One change and the new version of the tree, both or neither."""
        with self.transaction():
            if delete_inode:
                self._delete(delete_inode)
            if entry is not None:
                self._replace(entry)
            self._replace_version(root)

    def apply_update(self, deleted: Iterable[int], updates: Iterable[Entry]) -> None:
        """Take the leader's entries over; belongs into a transaction together with the check of the result."""
        for inode in deleted:
            self._delete(inode)
        for entry in updates:
            if entry.inode == 0:
                self._replace_version(entry)
            else:
                self._replace(entry)

    def load(self) -> tuple[Entry, dict[int, Entry]]:
        """The root and all entries by inode (the root is inode 0)."""
        root = Entry(0, 0, 0, 0, 0, DIRECTORY, "")
        index = {0: root}
        for inode, parent, version, writer, mtime, kind, name, data in self._connection.execute(_LOAD):
            if not name:
                raise self._broken(f"inode has no name (inode = {inode:016X})")
            if inode == 0:
                if name != VERSION_NAME:
                    raise self._broken(f"root inode has unexpected name '{name}'")
                root.version, root.writer, root.mtime = version, writer & 0xFFFFFFFF, mtime & 0xFFFFFFFF
                continue
            if kind not in (DIRECTORY, REGULAR):
                raise self._broken(f"inode has unknown type (inode = {inode:016X}, type = {kind})")
            if kind == DIRECTORY and data:
                raise self._broken(f"directory inode contains data (inode = {inode:016X})")
            content = data.encode(errors="surrogateescape") if isinstance(data, str) else bytes(data or b"")
            index[inode] = Entry(inode, parent, version, writer & 0xFFFFFFFF, mtime & 0xFFFFFFFF, kind, name, content)
        for inode, entry in index.items():
            if inode:
                self._hang_up(entry, index)
        return root, index

    def _hang_up(self, entry: Entry, index: dict[int, Entry]) -> None:
        parent = index.get(entry.parent)
        if parent is None:
            raise self._broken(f"missing directory inode (inode = {entry.parent:016X})")
        if not parent.is_directory:
            raise self._broken(
                f"parent is not a directory (inode = {entry.inode:016X}, parent = {entry.parent:016X}, name = '{entry.name}')"
            )
        if entry.name in parent.children:
            raise self._broken(f"found entry with duplicate name '{entry.name}'")
        parent.children[entry.name] = entry

    @staticmethod
    def _broken(text: str) -> DatabaseError:
        log.critical("database", text)
        log.critical("database", "DB load failed")
        return DatabaseError(text)
