# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cluster-wide locks: a directory below /etc/pve/priv/lock that only one node can make."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from practice_pve.pmxcfs.quorum_view import is_quorate
from practice_pve.rest.errors import ApiError

LOCK_DIRECTORY = "/etc/pve/priv/lock"
COMMAND_SECONDS = 60


def _make(path: str) -> int:
    try:
        os.mkdir(path)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _ask_for_unlock(path: str) -> None:
    """utime 0 is the request to give an expired lock up; it fails while the lock is held."""
    try:
        os.utime(path, (0, 0))
    except OSError:
        return


def _wait_for_lock(name: str, timeout: int) -> str:
    """Empty when the lock is ours, else why not."""
    path = f"{LOCK_DIRECTORY}/{name}"
    _make(LOCK_DIRECTORY)
    if not os.path.isdir(LOCK_DIRECTORY):
        return "pve cluster filesystem not online.\n"
    slept = 0.0
    while True:
        remaining = max(timeout - int(slept), 1)
        if _make(path) == 0:
            return ""
        pause = min(remaining, 10) * 0.1
        next_slept = int(slept + pause)
        if next_slept >= timeout:
            return "got lock request timeout\n"
        if next_slept > int(slept):
            print(f"trying to acquire cfs lock '{name}' ...", file=sys.stderr, flush=True)
        _ask_for_unlock(path)
        started = time.monotonic()
        time.sleep(pause)
        slept += time.monotonic() - started


@contextmanager
def _command_limit(name: str) -> Iterator[None]:
    """A lock expires after 120 s, so whoever holds it is stopped after 60 (where signals can be received)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: object) -> None:
        raise ApiError(f"'{name}'-locked command timed out - aborting\n")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(COMMAND_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def cfs_lock(name: str, timeout: int = 10) -> Iterator[None]:
    """Hold the lock; ApiError "cfs-lock 'NAME' error: ..." when it cannot be had."""
    reason = _wait_for_lock(name, timeout or 10)
    if reason:
        if not is_quorate():
            reason = "no quorum!\n"
        raise ApiError(f"cfs-lock '{name}' error: {reason}", exit_code=errno.EACCES)
    try:
        with _command_limit(name):
            yield
    finally:
        _give_up(f"{LOCK_DIRECTORY}/{name}")


def _give_up(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return  # as in PVE nobody looks: without quorum the lock stays and expires by itself
