# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's side of the local protocol: root may do all, www-data may read what is not private."""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from practice_pve.pmxcfs.guest_properties import property_values
from practice_pve.pmxcfs.ipc_protocol import Request, receive, send
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.paths import IPC_ADDRESS, is_private
from practice_pve.pmxcfs.status import MAX_STATUS_SIZE, Status
from practice_pve.pmxcfs.tree import Tree

_DIRECTORIES = {"qemu": "qemu-server", "lxc": "lxc", "openvz": "openvz"}


class IpcError(OSError):
    def __init__(self, number: int) -> None:
        super().__init__(number, os.strerror(number))


class IpcServer:
    def __init__(self, status: Status, tree: Tree, gid: int) -> None:
        self._status = status
        self._tree = tree
        self._gid = gid
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._handlers: dict[int, Callable[[dict[str, Any], bytes], bytes]] = {
            Request.VERSION: lambda _header, _data: status.version_text().encode(),
            Request.MEMBERS: lambda _header, _data: status.members_text().encode(),
            Request.GUESTS: lambda _header, _data: status.guests_text().encode(),
            Request.SET_STATUS: self._set_status,
            Request.GET_STATUS: self._get_status,
            Request.READ_FILE: self._read_file,
            Request.LOG: self._log,
            Request.CLUSTER_LOG: self._cluster_log,
            Request.RRD: lambda _header, _data: status.rrd_text(),
            Request.GUEST_PROPERTIES: self._guest_properties,
            Request.VERIFY_TOKEN: self._verify_token,
        }

    def start(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._listener.bind(IPC_ADDRESS)
        self._listener.listen(128)
        threading.Thread(target=self._accept, args=(self._listener,), name="ipc", daemon=True).start()

    def stop(self) -> None:
        """Refuse from now on: clients see "Connection refused"."""
        for connection in [self._listener, *self._connections]:
            if connection is not None:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError as error:
                    log.debug("ipcs", f"shutdown: {error}")
                connection.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return  # closed by stop()
            threading.Thread(target=self._serve, args=(connection,), name="ipc-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        try:
            with connection:
                credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
                _pid, uid, gid = struct.unpack("iii", credentials)
                if uid != 0 and gid != self._gid:
                    return
                while True:
                    header, data = receive(connection)
                    header["read_only"] = uid != 0
                    self._answer(connection, header, data)
        except (OSError, EOFError, ValueError) as error:
            log.debug("ipcs", f"connection ended: {error}")
        finally:
            self._connections.discard(connection)

    def _answer(self, connection: socket.socket, header: dict[str, Any], data: bytes) -> None:
        handler = self._handlers.get(header.get("request", 0))
        try:
            if handler is None:
                raise IpcError(errno.ECHRNG)
            answer, number = handler(header, data), 0
        except IpcError as error:
            answer, number = b"", error.errno or errno.EIO
        send(connection, {"errno": number}, answer)

    @staticmethod
    def _refuse_read_only(header: dict[str, Any]) -> None:
        if header["read_only"]:
            raise IpcError(errno.EPERM)

    def _set_status(self, header: dict[str, Any], data: bytes) -> bytes:
        self._refuse_read_only(header)
        if len(data) > MAX_STATUS_SIZE:
            raise IpcError(errno.EFBIG)
        self._status.set_own(header["key"], data)
        return b""

    def _get_status(self, header: dict[str, Any], _data: bytes) -> bytes:
        value = self._status.get(header.get("node", ""), header["key"])
        if value is None:
            raise IpcError(errno.ENOENT)
        return value

    def _read_file(self, header: dict[str, Any], _data: bytes) -> bytes:
        if header["read_only"] and is_private(header["path"]):
            raise IpcError(errno.EPERM)
        content = self._tree.read(header["path"])
        if content is None:
            raise IpcError(errno.ENOENT)
        return content

    def _log(self, header: dict[str, Any], _data: bytes) -> bytes:
        self._refuse_read_only(header)
        self._status.add_to_log(header["user"], header["tag"], header["message"], header["priority"], header["pid"])
        return b""

    def _cluster_log(self, header: dict[str, Any], _data: bytes) -> bytes:
        return self._status.cluster_log.to_text(header.get("user", ""), header.get("limit") or 50).encode()

    def _guest_properties(self, header: dict[str, Any], _data: bytes) -> bytes:
        wanted = header.get("vmid")
        if wanted and wanted not in self._status.guests.guests:
            raise IpcError(errno.ENOENT)
        answer = {}
        for vmid, guest in list(self._status.guests.guests.items()):
            if wanted in (None, vmid):
                config = self._tree.read(f"nodes/{guest.node}/{_DIRECTORIES[guest.kind]}/{vmid}.conf")
                values = property_values(config or b"", header["names"])
                if values:
                    answer[str(vmid)] = values
        return json.dumps(answer).encode()

    def _verify_token(self, header: dict[str, Any], _data: bytes) -> bytes:
        lines = (self._tree.read("priv/token.cfg") or b"").decode(errors="replace").split("\n")
        if header["token"] not in lines:
            raise IpcError(errno.ENOENT)
        return b""
