# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other packages may use of pmxcfs. Fast paths go to the daemon directly, writes through /etc/pve."""

from __future__ import annotations

import errno
import json
import os
import sys
import syslog
from typing import Any

from practice_pve.pmxcfs import ipc_client
from practice_pve.pmxcfs.cfs_lock import cfs_lock
from practice_pve.pmxcfs.ipc_client import RequestError
from practice_pve.pmxcfs.ipc_protocol import Request
from practice_pve.pmxcfs.paths import MOUNT_POINT
from practice_pve.pmxcfs.quorum_view import is_quorate
from practice_pve.rest.errors import ApiError

LOG_PRIORITIES = {
    "emerg": 0, "alert": 1, "crit": 2, "critical": 2, "err": 3, "error": 3,
    "warn": 4, "warning": 4, "notice": 5, "info": 6, "debug": 7,
}  # fmt: skip
_LINKS = ("local", "qemu-server", "lxc", "openvz")
_TEXTS = {
    ".version": Request.VERSION,
    ".members": Request.MEMBERS,
    ".vmlist": Request.GUESTS,
    ".rrd": Request.RRD,
    ".clusterlog": Request.CLUSTER_LOG,
}


class DaemonDown(ApiError):
    """pmxcfs does not run; commands end with errno 111."""

    def __init__(self, reason: str = "Connection refused") -> None:
        super().__init__(f"{reason}\n", exit_code=errno.ECONNREFUSED)


def _call(request: Request, data: bytes = b"", **header: Any) -> bytes:
    try:
        return ipc_client.call(request, data, **header)
    except RequestError as error:
        if error.errno == errno.ECONNREFUSED:
            raise DaemonDown from error
        raise ApiError(f"{error}\n", exit_code=error.errno or 255) from error


# -- quorum and members ------------------------------------------------------------------------------------------------


def assert_quorum() -> None:
    if not is_quorate():
        raise ApiError("cluster not ready - no quorum?\n", exit_code=255)


def is_mounted() -> bool:
    return os.path.islink(f"{MOUNT_POINT}/local")


def assert_mounted() -> None:
    if not is_mounted():
        raise ApiError("pve configuration filesystem (pmxcfs) not mounted\n", exit_code=255)


def members() -> dict[str, Any]:
    """Parsed .members."""
    return json.loads(_call(Request.MEMBERS))


def versions() -> dict[str, Any]:
    """Parsed .version: counters that change with each file and status value."""
    return json.loads(_call(Request.VERSION))


def guests() -> dict[str, Any]:
    """Parsed .vmlist."""
    return json.loads(_call(Request.GUESTS))


def guest_properties(names: list[str], vmid: int | None = None) -> dict[str, dict[str, str]]:
    """Properties of all guests (or one) of the cluster, keys are ids as text."""
    return json.loads(_call(Request.GUEST_PROPERTIES, names=names, vmid=vmid))


def update() -> bool:
    """What every command does first: ask for versions, members and guests; complain on stderr, once each."""
    complete = True
    for request in (Request.VERSION, Request.MEMBERS, Request.GUESTS):
        try:
            ipc_client.call(request)
        except RequestError as error:
            print(error, file=sys.stderr, flush=True)
            complete = False
    return complete


def load_access_control() -> str:
    """The start of every command: user.cfg, or the words and the exit code with which commands end without pmxcfs."""
    update()
    try:
        return ipc_client.call(Request.READ_FILE, path="user.cfg").decode()
    except RequestError as error:
        if error.errno == errno.ENOENT:
            return ""
        text = f"Unable to load access control list: {error.strerror}\n"
        raise ApiError(text, exit_code=error.errno or 255) from error


# -- status values and log ---------------------------------------------------------------------------------------------


def broadcast(key: str, value: str | None) -> None:
    """Set a status value of this node for the whole cluster (None removes it). A failure is only a warning."""
    try:
        ipc_client.call(Request.SET_STATUS, (value or "").encode(), key=key)
    except RequestError as error:
        print(error, file=sys.stderr, flush=True)


def broadcast_rrd(key: str, value: str) -> None:
    """A line of `.rrd`, for example pve-node-9.0/pve1."""
    broadcast(f"rrd/{key}", value)


def status_of(node: str, key: str) -> str | None:
    """A node's status value, None when it has none (or is unknown)."""
    try:
        return ipc_client.call(Request.GET_STATUS, node=node, key=key).rstrip(b"\0").decode()
    except RequestError as error:
        if error.errno == errno.ENOENT:
            return None
        if error.errno == errno.ECONNREFUSED:
            raise DaemonDown from error
        raise


def log(message: str, priority: str | int = "info", user: str = "root@pam", tag: str = "pvedaemon") -> None:
    """Add to the cluster's log."""
    number = LOG_PRIORITIES[priority] if isinstance(priority, str) else priority
    text = message or "empty message"
    try:
        ipc_client.call(Request.LOG, user=user, tag=tag, message=text, priority=number, pid=os.getpid())
    except RequestError as error:
        syslog.syslog(syslog.LOG_ERR, f"writing cluster log failed: {error}")


def cluster_log(user: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """The newest entries, newest first."""
    return json.loads(_call(Request.CLUSTER_LOG, user=user, limit=limit))["data"]


def verify_token(user: str, secret: str) -> bool:
    """Whether priv/token.cfg holds this token (user is "name@realm!token")."""
    try:
        ipc_client.call(Request.VERIFY_TOKEN, token=f"{user} {secret}")
    except RequestError as error:
        if error.errno == errno.ENOENT:
            return False
        raise DaemonDown(error.strerror or "") from error
    return True


# -- files below /etc/pve ----------------------------------------------------------------------------------------------


def _without_links(path: str) -> str:
    first, slash, rest = path.strip("/").partition("/")
    if first not in _LINKS:
        return path.strip("/")
    own = f"nodes/{os.uname().nodename.split('.')[0]}"
    return (own if first == "local" else f"{own}/{first}") + slash + rest


def read(path: str) -> str | None:
    """A file's text; None when there is no such file."""
    if path in _TEXTS:
        return _call(_TEXTS[path]).decode()
    try:
        content = ipc_client.call(Request.READ_FILE, path=_without_links(path))
    except RequestError as error:
        if error.errno == errno.ENOENT:
            return None
        if error.errno == errno.ECONNREFUSED:
            raise DaemonDown from error
        raise ApiError(f"{error.strerror}\n", exit_code=error.errno or 255) from error
    return content.decode(errors="surrogateescape")


def _failure(text: str, error: OSError) -> ApiError:
    return ApiError(f"{text}{error.strerror}\n", exit_code=error.errno or 255)


def _open_temporary(path: str) -> int:
    for attempt in range(3):
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            if attempt == 2:
                raise
            os.unlink(path)
    raise AssertionError("unreachable")


def write(path: str, text: str) -> None:
    """Replace a file as a whole: temporary file and rename, with PVE's texts for what fails."""
    target = f"{MOUNT_POINT}/{path.strip('/')}"
    temporary = f"{target}.tmp.{os.getpid()}"
    try:
        descriptor = _open_temporary(temporary)
    except OSError as error:
        raise _failure(f"unable to open file '{temporary}' - ", error) from error
    try:
        with open(descriptor, "wb", buffering=0) as stream:
            content = memoryview(text.encode(errors="surrogateescape"))
            while content:
                content = content[stream.write(content) or 0 :]
    except OSError as error:
        _unlink_quietly(temporary)
        raise _failure(f"unable to write '{temporary}' - ", error) from error
    try:
        os.rename(temporary, target)
    except OSError as error:
        _unlink_quietly(temporary)
        raise _failure(f"close (rename) atomic file '{target}' failed: ", error) from error


def _unlink_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def remove(path: str) -> None:
    """Delete a file; a missing one is no failure."""
    target = f"{MOUNT_POINT}/{path.strip('/')}"
    try:
        os.unlink(target)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failure(f"unable to delete '{target}' - ", error) from error


__all__ = [
    "DaemonDown", "assert_mounted", "assert_quorum", "broadcast", "broadcast_rrd", "cfs_lock", "cluster_log",
    "guest_properties", "guests", "is_mounted", "is_quorate", "load_access_control", "log", "members", "read",
    "remove", "status_of", "update", "verify_token", "versions", "write",
]  # fmt: skip
