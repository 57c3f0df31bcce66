# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How commands and daemons of the node speak with pmxcfs: one JSON header and one block of bytes each way.

The numbers are those of PVE's own protocol, because its error messages name them ("ipcc_send_rec[1] failed").
"""

from __future__ import annotations

import json
import socket
import struct
from enum import IntEnum
from typing import Any

_SIZES = struct.Struct("<II")


class Request(IntEnum):
    VERSION = 1
    MEMBERS = 2
    GUESTS = 3
    SET_STATUS = 4
    GET_STATUS = 5
    READ_FILE = 6
    LOG = 7
    CLUSTER_LOG = 8
    RRD = 10
    GUEST_PROPERTY = 11
    VERIFY_TOKEN = 12
    GUEST_PROPERTIES = 13


def send(connection: socket.socket, header: dict[str, Any], data: bytes = b"") -> None:
    encoded = json.dumps(header).encode()
    connection.sendall(_SIZES.pack(len(encoded), len(data)) + encoded + data)


def _receive_exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """EOFError when the other side has closed."""
    header_size, data_size = _SIZES.unpack(_receive_exactly(connection, _SIZES.size))
    header = json.loads(_receive_exactly(connection, header_size))
    return header, _receive_exactly(connection, data_size)
