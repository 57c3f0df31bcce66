# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`.version`, `.members` and the like: files made of the daemon's state, and the symbolic links to this node's own files."""

from __future__ import annotations

import errno
from collections.abc import Callable

from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import TreeError


class VirtualFile:
    """Its text is made when somebody asks for its attributes; a read gives what was made then."""

    def __init__(self, mode: int, update: Callable[[], bytes], write: Callable[[bytes], int] | None = None) -> None:
        self.mode = mode
        self._update = update
        self._write = write
        self.content = b""

    @property
    def writable(self) -> bool:
        return self._write is not None

    def refresh(self) -> int:
        self.content = self._update()
        return len(self.content)

    def write(self, data: bytes, offset: int) -> int:
        if offset or self._write is None:
            raise TreeError(errno.EIO)
        return self._write(data)

    def truncate(self) -> None:
        if self._write is None:
            raise TreeError(errno.EIO)


def _switch_debug(data: bytes) -> int:
    if data[:2] not in (b"0\n", b"1\n"):
        raise TreeError(errno.EIO)
    wanted = data[:1] == b"1"
    if wanted != log.debug_enabled:
        log.debug_enabled = wanted
        log.notice("main", "enable debug mode" if wanted else "disable debug mode")
    return 2


def virtual_files(status: Status) -> dict[str, VirtualFile]:
    return {
        ".version": VirtualFile(0o440, lambda: status.version_text().encode()),
        ".members": VirtualFile(0o440, lambda: status.members_text().encode()),
        ".vmlist": VirtualFile(0o440, lambda: status.guests_text().encode()),
        ".rrd": VirtualFile(0o440, status.rrd_text),
        ".clusterlog": VirtualFile(0o440, lambda: status.cluster_log.to_text().encode()),
        ".debug": VirtualFile(0o640, lambda: b"1\n" if log.debug_enabled else b"0\n", _switch_debug),
    }


def symbolic_links(node_name: str) -> dict[str, str]:
    own = f"nodes/{node_name}"
    return {"local": own, "qemu-server": f"{own}/qemu-server", "openvz": f"{own}/openvz", "lxc": f"{own}/lxc"}
