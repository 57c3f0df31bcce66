# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves /dev/fuse with as many threads as requests wait, so that a write that waits for the cluster blocks no reader."""

from __future__ import annotations

import errno
import os
import threading
import traceback
from collections.abc import Callable

from practice_pve.pmxcfs import fuse_protocol as fuse
from practice_pve.pmxcfs.fuse_requests import FuseRequests
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.tree import TreeError

MAX_THREADS = 64
MAX_IDLE_THREADS = 10


class FuseSession:
    def __init__(self, descriptor: int, requests: FuseRequests, on_end: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._requests = requests
        self._on_end = on_end
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def start(self) -> None:
        self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            self._threads += 1
        threading.Thread(target=self._serve, name="fuse", daemon=True).start()

    def _serve(self) -> None:
        buffer = bytearray(fuse.BUFFER_SIZE)
        view = memoryview(buffer)
        while True:
            with self._lock:
                if self._idle >= MAX_IDLE_THREADS:
                    self._threads -= 1
                    return
                self._idle += 1
            length = self._read(buffer)
            with self._lock:
                self._idle -= 1
                alone = self._idle == 0 and self._threads < MAX_THREADS
            if length == 0:
                self._on_end()
                return
            if alone and length > 0:
                self._start_thread()
            if length > 0:
                self._answer(view[:length])

    def _read(self, buffer: bytearray) -> int:
        """Length of the next request, 0 when the file system has been unmounted, -1 for "try again"."""
        try:
            return os.readv(self._descriptor, [buffer])
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                return -1
            return 0

    def _answer(self, request: memoryview) -> None:
        _length, opcode, unique, node_id, _uid, _gid, _pid, _padding = fuse.IN_HEADER.unpack_from(request)
        try:
            answer = self._requests.answer(opcode, node_id, request[fuse.IN_HEADER.size :])
            number = 0
        except TreeError as error:
            answer, number = b"", error.errno or errno.EIO
        except Exception:  # noqa: BLE001 - a thread of the file system must survive any mistake, or /etc/pve hangs for everyone
            log.critical("main", f"request {opcode} failed: {traceback.format_exc()}")
            answer, number = b"", errno.EIO
        if answer is None:
            return  # a message that wants no answer
        header = fuse.OUT_HEADER.pack(fuse.OUT_HEADER.size + len(answer), -number, unique)
        try:
            os.writev(self._descriptor, [header, answer])
        except OSError as error:
            if error.errno != errno.ENOENT:  # the caller has been interrupted meanwhile
                log.debug("main", f"answer to request {opcode} not taken: {error}")
