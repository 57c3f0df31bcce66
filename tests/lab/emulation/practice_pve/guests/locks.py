# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""flock files as PVE uses them for guests and storages."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from practice_pve.rest.errors import ApiError

LOCK_DIRECTORIES = {"qemu": "/var/lock/qemu-server", "lxc": "/run/lock/lxc"}
# per process and thread: a forked worker has to take the lock itself
_HELD: set[tuple[int, int, str]] = set()


@contextmanager
def guest_lock(kind: str, guest_id: int, *, timeout: float = 10, shared: bool = False) -> Iterator[None]:
    """Hold a guest's configuration lock; nested calls of one process are free."""
    name = f"lock-{guest_id}.conf" if kind == "qemu" else f"pve-config-{guest_id}.lock"
    with file_lock(f"{LOCK_DIRECTORIES[kind]}/{name}", timeout=timeout, shared=shared):
        yield


@contextmanager
def file_lock(path: str, *, timeout: float = 10, shared: bool = False) -> Iterator[None]:
    """Hold a lock file or fail after `timeout` seconds with PVE's words."""
    key = (os.getpid(), threading.get_ident(), path)
    if key in _HELD:
        yield
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, path, timeout, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        _HELD.add(key)
        try:
            yield
        finally:
            _HELD.discard(key)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: str, timeout: float, mode: int) -> None:
    end = time.monotonic() + timeout
    announced = False
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if not announced:
                sys.stderr.write("trying to acquire lock...\n")
                sys.stderr.flush()
                announced = True
            if time.monotonic() >= end:
                raise ApiError(f"can't lock file '{path}' - got timeout") from None
            time.sleep(0.05)
        else:
            if announced:
                sys.stderr.write(" OK\n")
            return
