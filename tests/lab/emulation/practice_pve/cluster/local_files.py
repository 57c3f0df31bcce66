# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files outside and inside /etc/pve as PVE writes them, and its lock on a local file."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from practice_pve.rest.errors import ApiError


def read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except OSError as error:
        raise ApiError(f"can't open '{path}' - {error.strerror}\n") from error


def read_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise ApiError(f"can't open '{path}' - {error.strerror}\n") from error


def write_file(path: str, data: str | bytes, mode: int = 0o644) -> None:
    """PVE's atomic write: PATH.tmp.PID, then a rename; the texts name the temporary file."""
    temporary = f"{path}.tmp.{os.getpid()}"
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            os.unlink(temporary)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise ApiError(f"unable to open file '{temporary}' - {error.strerror}\n") from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(raw)
    except OSError as error:
        _remove(temporary)
        raise ApiError(f"unable to write '{temporary}' - {error.strerror}\n") from error
    try:
        os.rename(temporary, path)
    except OSError as error:
        _remove(temporary)
        raise ApiError(f"close (rename) atomic file '{path}' failed: {error.strerror}\n") from error


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # nothing to clean up, or no way to do it; the error that led here is the one to report


class _LockTimeout(Exception):
    pass


@contextmanager
def lock_file(path: str, timeout: int) -> Iterator[None]:
    """PVE's flock on a local file with its words on stderr."""
    try:
        stream = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed below, together with the lock
    except OSError as error:
        raise ApiError(f"can't lock file '{path}' - can't open file - {error.strerror}\n") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("trying to acquire lock...", file=sys.stderr, flush=True)
            _wait_for_lock(stream.fileno(), path, timeout)
            print(" OK", file=sys.stderr, flush=True)
        yield


def _wait_for_lock(descriptor: int, path: str, timeout: int) -> None:
    def expire(_number: int, _frame: FrameType | None) -> None:
        raise _LockTimeout

    try:
        previous = signal.signal(signal.SIGALRM, expire)
    except ValueError:
        # Not the main thread (a daemon that answers in threads): poll instead of an alarm.
        _poll_for_lock(descriptor, path, timeout)
        return
    signal.alarm(timeout)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except _LockTimeout:
        raise ApiError(f"can't lock file '{path}' - got timeout\n") from None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _poll_for_lock(descriptor: int, path: str, timeout: int) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise ApiError(f"can't lock file '{path}' - got timeout\n") from None
            time.sleep(0.05)
