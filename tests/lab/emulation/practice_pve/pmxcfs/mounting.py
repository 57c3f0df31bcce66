# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts /etc/pve without any helper: mount(2) and umount2(2) by ctypes."""

from __future__ import annotations

import ctypes
import errno
import os

from practice_pve.pmxcfs.paths import MOUNT_POINT

_MS_NOSUID, _MS_NODEV = 2, 4
_MNT_FORCE, _MNT_DETACH = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


def _unmount_with(flags: int) -> int:
    return 0 if _libc.umount2(MOUNT_POINT.encode(), flags) == 0 else ctypes.get_errno()


def clear_stale_mount() -> None:
    """Take away what a killed daemon has left behind, also while somebody still stands in it."""
    while True:
        number = _unmount_with(_MNT_FORCE)
        if number == errno.EBUSY:
            number = _unmount_with(_MNT_DETACH)
        if number != 0:
            return


def mount() -> int:
    """Mount the file system and return the descriptor to serve it by."""
    descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other"
    result = _libc.mount(b"/dev/fuse", MOUNT_POINT.encode(), b"fuse", _MS_NOSUID | _MS_NODEV, options.encode())
    if result != 0:
        number = ctypes.get_errno()
        os.close(descriptor)
        raise OSError(number, os.strerror(number), MOUNT_POINT)
    return descriptor


def unmount() -> None:
    _unmount_with(_MNT_DETACH)
