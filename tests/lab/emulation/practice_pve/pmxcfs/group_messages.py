# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a process group: ordinary ones, counted, and those of a synchronisation, which belong to an epoch."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from enum import IntEnum

PROTOCOL_VERSION = 1


class Kind(IntEnum):
    NORMAL = 0
    SYNC_START = 1
    STATE = 2
    UPDATE = 3
    UPDATE_COMPLETE = 4
    VERIFY_REQUEST = 5
    VERIFY = 6


_HEADER = struct.Struct("<HHII")
_COUNT = struct.Struct("<Q")
_EPOCH = struct.Struct("<IIII")


class MalformedMessage(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Epoch:
    """One attempt to agree, named by the member that began it."""

    counter: int = 0
    time: int = 0
    node_id: int = 0
    pid: int = 0

    def __str__(self) -> str:
        return f"{self.node_id}/{self.pid}/{self.counter:08X}"


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    subtype: int
    protocol: int
    time: int
    count: int
    epoch: Epoch
    payload: bytes


def encode_normal(subtype: int, count: int, payload: bytes) -> bytes:
    return _HEADER.pack(Kind.NORMAL, subtype, PROTOCOL_VERSION, int(time.time())) + _COUNT.pack(count) + payload


def encode_state(kind: Kind, epoch: Epoch, payload: bytes = b"") -> bytes:
    epoch_part = _EPOCH.pack(epoch.counter, epoch.time, epoch.node_id, epoch.pid)
    return _HEADER.pack(kind, 0, PROTOCOL_VERSION, int(time.time())) + epoch_part + payload


def decode(raw: bytes) -> Message:
    try:
        number, subtype, protocol, sent = _HEADER.unpack_from(raw)
        kind = Kind(number)
        body = raw[_HEADER.size :]
        if kind is Kind.NORMAL:
            (count,) = _COUNT.unpack_from(body)
            return Message(kind, subtype, protocol, sent, count, Epoch(), body[_COUNT.size :])
        return Message(kind, subtype, protocol, sent, 0, Epoch(*_EPOCH.unpack_from(body)), body[_EPOCH.size :])
    except (struct.error, ValueError) as error:
        raise MalformedMessage(str(error)) from error
