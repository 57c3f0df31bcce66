# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NFS servers: real ones are asked by the real showmount and rpcinfo. Only the mount itself is not made."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

from practice_pve.rest.errors import ApiError

SHOWMOUNT = ("/sbin/showmount", "--no-headers", "--exports")
NFS_PORT = 2049


def resolve(server: str) -> str | None:
    """The address that the node would use."""
    try:
        return str(socket.getaddrinfo(server, None)[0][4][0])
    except OSError:
        return None


def list_exports(address: str) -> dict[str, str]:
    """Exported paths and who may mount them."""
    argv = [*SHOWMOUNT, address]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise ApiError(f"command '{' '.join(argv)}' failed: exit code {done.returncode}")
    found = {}
    for line in done.stdout.splitlines():
        match = re.match(r"(/\S+)\s+(.+)$", line)
        if match:
            found[match[1]] = match[2]
    return found


def is_online(server: str, options: str) -> bool:
    """PVE's check before it mounts: an answer of the mount service, or for NFS 4 of the NFS service itself."""
    if not re.search(r"vers=4", options):
        return _succeeds([*SHOWMOUNT, server])
    address = resolve(server)
    if address is None:
        return False
    transport = "tcp6" if ":" in address else "tcp"
    if _succeeds(["/usr/sbin/rpcinfo", "-T", transport, address, "nfs", "4"]):
        return True
    port = re.search(r"port=(\d+)", options)
    number = int(port[1]) if port else NFS_PORT
    return bool(number) and _accepts(address, number)


def _succeeds(argv: list[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True
