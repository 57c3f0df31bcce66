# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pmxcfs reads out of a path. Paths are relative to /etc/pve, without a leading slash."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOUNT_POINT = "/etc/pve"
RUN_DIRECTORY = "/run/pve-cluster"
STATE_DIRECTORY = "/var/lib/pve-cluster"
DATABASE = f"{STATE_DIRECTORY}/config.db"
LOCK_FILE = f"{STATE_DIRECTORY}/.pmxcfs.lockfile"
PID_FILE = "/run/pve-cluster.pid"
RESTART_FLAG = f"{RUN_DIRECTORY}/cfs-restart-flag"
HOST_COROSYNC_CONF = "/etc/corosync/corosync.conf"
# Abstract, hence per network namespace, and "Connection refused" as soon as the daemon is gone.
IPC_ADDRESS = "\0practice-pmxcfs"

GUEST_TYPES = {"qemu-server": "qemu", "lxc": "lxc", "openvz": "openvz"}

_GUEST_CONFIG = re.compile(
    r"nodes/([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)/(qemu-server|openvz|lxc)/([1-9][0-9]*)\.conf"
)
_NODE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_PRIVATE = re.compile(r"(?:priv|nodes/[^/]*/priv)(?:/.*)?", re.DOTALL)
_OPENVZ_SCRIPT = re.compile(r"(?:vps|[1-9][0-9]*)\.(?:mount|umount|start|stop|premount|postumount)")


@dataclass(frozen=True, slots=True)
class GuestConfig:
    node: str
    kind: str
    vmid: int


def is_private(path: str) -> bool:
    """Nothing below priv/ (cluster's or a node's) is for anyone but root."""
    return _PRIVATE.fullmatch(path) is not None


def is_lock_directory(path: str) -> bool:
    return path.startswith("priv/lock/") and len(path) > len("priv/lock/")


def is_node_name(name: str) -> bool:
    return _NODE_NAME.fullmatch(name) is not None


def is_openvz_script(name: str) -> bool:
    """A relic: such files keep an x bit for root in the real file system, too."""
    return _OPENVZ_SCRIPT.fullmatch(name) is not None


def guest_id(name: str) -> int | None:
    match = re.fullmatch(r"([1-9][0-9]*)\.conf", name)
    if match is None or int(match[1]) > 0xFFFFFFFF:
        return None
    return int(match[1])


def guest_config(path: str) -> GuestConfig | None:
    match = _GUEST_CONFIG.fullmatch(path)
    if match is None or int(match[3]) > 0xFFFFFFFF:
        return None
    return GuestConfig(match[1], GUEST_TYPES[match[2]], int(match[3]))


def split(path: str) -> tuple[str, str]:
    """Directory ("" for the root) and last name."""
    directory, _, name = path.strip("/").rpartition("/")
    return directory, name
