# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each system call on /etc/pve answers: fixed modes and owner, refusals with pmxcfs's errno. Paths in, no FUSE."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable

from practice_pve.pmxcfs.changes import Changes
from practice_pve.pmxcfs.entry import Entry
from practice_pve.pmxcfs.fuse_protocol import Attributes
from practice_pve.pmxcfs.paths import is_openvz_script, is_private
from practice_pve.pmxcfs.tree import BLOCK_SIZE, MAX_INODES, MAX_TOTAL_SIZE, Tree, TreeError
from practice_pve.pmxcfs.virtual_files import VirtualFile

UNCHANGED_ID = 0xFFFFFFFF


class Filesystem:
    def __init__(
        self,
        tree: Tree,
        changes: Changes,
        files: dict[str, VirtualFile],
        links: dict[str, str],
        writable: Callable[[], bool],
        gid: int,
    ) -> None:
        self._tree = tree
        self._changes = changes
        self._files = files
        self._links = links
        self._writable = writable
        self._gid = gid

    # -- attributes ------------------------------------------------------------------------------------------------

    def attributes(self, path: str) -> Attributes:
        first, _, rest = path.partition("/")
        if first in self._files or first in self._links:
            if rest:
                raise TreeError(errno.EACCES)
            return self._special_attributes(path)
        if not path:
            # The root itself never loses its w bits; without quorum its refusals come from the daemon.
            return Attributes(stat.S_IFDIR | 0o755, links=2, gid=self._gid)
        entry = self._tree.find(path)
        if entry is None:
            raise TreeError(errno.ENOENT)
        return self._entry_attributes(path, entry)

    def _special_attributes(self, path: str) -> Attributes:
        if path in self._files:
            file = self._files[path]
            return Attributes(stat.S_IFREG | file.mode, size=file.refresh(), gid=self._gid)
        mode = 0o755 if self._writable() else 0o555
        return Attributes(stat.S_IFLNK | mode, size=len(self._links[path].encode()), gid=self._gid)

    def _entry_attributes(self, path: str, entry: Entry) -> Attributes:
        if entry.is_directory:
            mode, visible, links = stat.S_IFDIR | 0o777, 0o755, 2
        else:
            mode, visible, links = stat.S_IFREG | 0o666, 0o750, 1
            if is_openvz_script(entry.name):
                mode |= stat.S_IXUSR
        if not self._writable():
            mode &= ~0o222
        if is_private(path):
            visible = 0o700
        return Attributes(
            mode & (stat.S_IFMT(mode) | visible),
            size=entry.size,
            blocks=-(-entry.size // BLOCK_SIZE),
            mtime=entry.mtime,
            links=links,
            gid=self._gid,
        )

    def change_mode(self, path: str, mode: int) -> None:
        """Only "as it already is" is granted, and to directories not even that."""
        if stat.S_IMODE(mode) != (0o600 if is_private(path) else 0o640):
            raise TreeError(errno.EPERM)

    def change_owner(self, uid: int, gid: int) -> None:
        if uid not in (0, UNCHANGED_ID) or gid not in (self._gid, UNCHANGED_ID):
            raise TreeError(errno.EPERM)

    def set_mtime(self, path: str, mtime: int) -> None:
        self._refuse_special(path)
        self._refuse_unwritable()
        self._changes.set_mtime(path, mtime)

    def usage(self) -> tuple[int, int, int, int, int]:
        """Blocks, free blocks, inodes, free inodes, block size."""
        used, entries = self._tree.usage()
        blocks = MAX_TOTAL_SIZE // BLOCK_SIZE
        return blocks, blocks - -(-used // BLOCK_SIZE), MAX_INODES, MAX_INODES - entries, BLOCK_SIZE

    # -- reading ---------------------------------------------------------------------------------------------------

    def link_target(self, path: str) -> str:
        if path not in self._links:
            raise TreeError(errno.EACCES)
        return self._links[path]

    def names(self, path: str) -> list[tuple[str, int]]:
        """Names with their dirent type (0: not told)."""
        special = {} if path else self._files | self._links
        listed = [(".", 0), ("..", 0)] + [(name, 0) for name in special]
        return listed + [(name, kind) for name, kind in self._tree.list(path) if name not in special]

    def open(self, path: str) -> None:
        if path in self._links:
            raise TreeError(errno.EACCES)
        if path not in self._files and self._tree.find(path) is None:
            raise TreeError(errno.ENOENT)

    def read(self, path: str, size: int, offset: int) -> bytes:
        if path in self._files:
            content: bytes | None = self._files[path].content
        else:
            content = self._tree.read(path)
        if content is None:
            raise TreeError(errno.ENOENT)
        return content[offset : offset + size]

    # -- writing ---------------------------------------------------------------------------------------------------

    def _refuse_special(self, path: str) -> None:
        first = path.partition("/")[0]
        if not path or first in self._files or first in self._links:
            raise TreeError(errno.EACCES)

    def _refuse_unwritable(self) -> None:
        if not self._writable():
            raise TreeError(errno.EACCES)

    def write(self, path: str, data: bytes, offset: int) -> int:
        if path in self._files:
            return self._files[path].write(data, offset)
        self._refuse_special(path)
        self._refuse_unwritable()
        return self._changes.write(path, data, offset)

    def truncate(self, path: str, size: int) -> None:
        if path in self._files:
            self._files[path].truncate()
            return
        self._refuse_special(path)
        self._refuse_unwritable()
        self._changes.truncate(path, size)

    def create(self, path: str) -> None:
        self._refuse_special(path)
        self._refuse_unwritable()
        self._changes.create(path)

    def make_directory(self, path: str) -> None:
        self._refuse_special(path)
        self._refuse_unwritable()
        self._changes.make_directory(path)

    def delete(self, path: str) -> None:
        self._refuse_special(path)
        self._refuse_unwritable()
        self._changes.delete(path)

    def rename(self, source: str, target: str) -> None:
        self._refuse_special(source)
        self._refuse_special(target)
        self._refuse_unwritable()
        self._changes.rename(source, target)
