# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""corosync's client libraries by ctypes: closed process groups, quorum, configuration map."""

from __future__ import annotations

import ctypes
import threading
import traceback
from collections.abc import Callable
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char,
    c_char_p,
    c_int,
    c_int32,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from functools import cache
from typing import NamedTuple

from practice_pve.pmxcfs.log import log

OK, LIBRARY, TRY_AGAIN, BAD_HANDLE = 1, 2, 6, 9
DISPATCH_ONE, DISPATCH_ALL = 1, 2

_NAMES = (
    "CS_OK CS_ERR_LIBRARY CS_ERR_VERSION CS_ERR_INIT CS_ERR_TIMEOUT CS_ERR_TRY_AGAIN CS_ERR_INVALID_PARAM"
    " CS_ERR_NO_MEMORY CS_ERR_BAD_HANDLE CS_ERR_BUSY CS_ERR_ACCESS CS_ERR_NOT_EXIST CS_ERR_NAME_TOO_LONG CS_ERR_EXIST"
    " CS_ERR_NO_SPACE CS_ERR_INTERRUPT CS_ERR_NAME_NOT_FOUND CS_ERR_NO_RESOURCES CS_ERR_NOT_SUPPORTED"
    " CS_ERR_BAD_OPERATION CS_ERR_FAILED_OPERATION CS_ERR_MESSAGE_ERROR CS_ERR_QUEUE_FULL CS_ERR_QUEUE_NOT_AVAILABLE"
).split()


def error_name(code: int) -> str:
    return _NAMES[code - 1] if 1 <= code <= len(_NAMES) else f"unknown error {code}"


class CorosyncError(Exception):
    def __init__(self, function: str, code: int) -> None:
        hint = " (failed to connect to corosync)" if code == LIBRARY and function.endswith("initialize") else ""
        super().__init__(f"{function} failed: {error_name(code)}{hint}")
        self.code = code


class MemberId(NamedTuple):
    node_id: int
    pid: int

    def __str__(self) -> str:
        return f"{self.node_id}/{self.pid}"


class _CpgName(Structure):
    _fields_ = [("length", c_uint32), ("value", c_char * 128)]


class _CpgAddress(Structure):
    _fields_ = [("nodeid", c_uint32), ("pid", c_uint32), ("reason", c_uint32)]


class _IoVector(Structure):
    _fields_ = [("base", c_char_p), ("length", c_size_t)]


class _NotifyValue(Structure):
    _fields_ = [("type", c_int), ("length", c_size_t), ("data", c_void_p)]


_Addresses = POINTER(_CpgAddress)
_Deliver = CFUNCTYPE(None, c_uint64, POINTER(_CpgName), c_uint32, c_uint32, c_void_p, c_size_t)
_Change = CFUNCTYPE(None, c_uint64, POINTER(_CpgName), _Addresses, c_size_t, _Addresses, c_size_t, _Addresses, c_size_t)
_Quorum = CFUNCTYPE(None, c_uint64, c_uint32, c_uint64, c_uint32, POINTER(c_uint32))
_Track = CFUNCTYPE(None, c_uint64, c_uint64, c_int32, c_char_p, _NotifyValue, _NotifyValue, c_void_p)


class _CpgCallbacks(Structure):
    _fields_ = [("deliver", _Deliver), ("change", _Change)]


class _QuorumCallbacks(Structure):
    _fields_ = [("notify", _Quorum)]


@cache
def _load(name: str) -> ctypes.CDLL:
    return ctypes.CDLL(name)


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    """An exception must not vanish in a C library without a word."""

    def call(*arguments: object) -> None:
        try:
            function(*arguments)
        except Exception:  # noqa: BLE001 - the boundary to C, nothing can be raised through it
            log.critical("main", f"callback failed: {traceback.format_exc()}")

    return call


class _Connection:
    library = ""
    prefix = ""

    def __init__(self) -> None:
        self._functions = _load(self.library)
        self._handle = c_uint64(0)

    def _call(self, name: str, *arguments: object) -> None:
        function = f"{self.prefix}_{name}"
        code = getattr(self._functions, function)(*arguments)
        if code != OK:
            raise CorosyncError(function, code)

    def descriptor(self) -> int:
        number = c_int(-1)
        self._call("fd_get", self._handle, byref(number))
        return number.value

    def dispatch(self, how: int) -> None:
        self._call("dispatch", self._handle, c_int(how))

    def close(self) -> None:
        self._call("finalize", self._handle)


class CpgConnection(_Connection):
    """One process group: totally ordered messages and membership changes."""

    library, prefix = "libcpg.so.4", "cpg"
    _AGREED = 2  # CPG_TYPE_AGREED

    def __init__(
        self,
        group: str,
        on_message: Callable[[MemberId, bytes], None],
        on_change: Callable[[list[MemberId], bool], None],
    ) -> None:
        super().__init__()
        self._name = _CpgName(len(group) + 1, group.encode())
        # Requests share one channel of the connection; events, which dispatch() reads, have their own.
        self._requests = threading.Lock()

        def deliver(_handle: int, _group: object, node_id: int, pid: int, message: int, length: int) -> None:
            on_message(MemberId(node_id, pid), ctypes.string_at(message, length))

        def change(_handle, _group, members, member_count, _left, _left_count, _joined, joined_count) -> None:  # type: ignore[no-untyped-def]
            listed = [MemberId(members[i].nodeid, members[i].pid) for i in range(member_count)]
            on_change(listed, joined_count > 0)

        # Kept as attributes: the library calls them as long as the connection lives.
        self._callbacks = _CpgCallbacks(_Deliver(_guarded(deliver)), _Change(_guarded(change)))
        self._call("initialize", byref(self._handle), byref(self._callbacks))

    def local_node_id(self) -> int:
        number = c_uint32(0)
        self._call("local_get", self._handle, byref(number))
        return number.value

    def join(self) -> None:
        with self._requests:
            self._call("join", self._handle, byref(self._name))

    def leave(self) -> None:
        with self._requests:
            self._call("leave", self._handle, byref(self._name))

    def send(self, message: bytes) -> None:
        vector = _IoVector(message, len(message))
        with self._requests:
            self._call("mcast_joined", self._handle, c_int(self._AGREED), byref(vector), c_uint32(1))


class QuorumConnection(_Connection):
    library, prefix = "libquorum.so.5", "quorum"
    _SET = 1
    _TRACK_CHANGES = 2

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        super().__init__()

        def notify(_handle: int, quorate: int, _ring: int, _count: int, _members: object) -> None:
            on_change(bool(quorate))

        self._callbacks = _QuorumCallbacks(_Quorum(_guarded(notify)))
        kind = c_uint32(0)
        self._call("initialize", byref(self._handle), byref(self._callbacks), byref(kind))

    def track(self) -> None:
        self._call("trackstart", self._handle, c_uint32(self._TRACK_CHANGES))


class MapConnection(_Connection):
    """corosync's configuration as it is in force (cmap)."""

    library, prefix = "libcmap.so.4", "cmap"
    _ADD, _DELETE, _MODIFY, _PREFIX = 4, 1, 2, 8
    _KEY_LENGTH = 256

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__()

        def changed(_handle, _track, _event, _key, _new, _old, _data) -> None:  # type: ignore[no-untyped-def]
            on_change()

        self._callback = _Track(_guarded(changed))
        self._call("initialize", byref(self._handle))

    def track(self, key: str, as_prefix: bool) -> None:
        kind = self._ADD | self._DELETE | self._MODIFY | (self._PREFIX if as_prefix else 0)
        track_handle = c_uint64(0)
        self._call("track_add", self._handle, key.encode(), c_int32(kind), self._callback, None, byref(track_handle))

    def keys(self, prefix: str) -> list[str]:
        iterator = c_uint64(0)
        self._call("iter_init", self._handle, prefix.encode(), byref(iterator))
        name = ctypes.create_string_buffer(self._KEY_LENGTH)
        length, kind = c_size_t(0), c_int(0)
        found = []
        while self._functions.cmap_iter_next(self._handle, iterator, name, byref(length), byref(kind)) == OK:
            found.append(name.value.decode())
        self._call("iter_finalize", self._handle, iterator)
        return found

    def number(self, key: str, bits: int = 32) -> int:
        value = c_uint64(0) if bits == 64 else c_uint32(0)
        self._call(f"get_uint{bits}", self._handle, key.encode(), byref(value))
        return value.value

    def text(self, key: str) -> str:
        pointer = c_void_p()
        self._call("get_string", self._handle, key.encode(), byref(pointer))
        value = ctypes.string_at(pointer.value or 0).decode()
        ctypes.CDLL(None).free(pointer)
        return value
