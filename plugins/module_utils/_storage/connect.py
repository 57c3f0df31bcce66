# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a TCP connection from this node, and from the other members by Proxmox VE's own SSH.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import socket

from .._cluster.membership import parse_members_file
from .._files import read_text
from .._ssh.mesh import run_on_member

PATIENCE = 5


class Connector:
    """C(own_node) is None where the module does not run on a node: then no node can be asked this way."""

    def __init__(self, own_node: str | None) -> None:
        self._own_node = own_node

    def __call__(self, node: str, server: str, port: int) -> str | None:
        if self._own_node is None:
            return f"port {port} of {server} was not tried from there"
        if node == self._own_node:
            return _try_here(server, port)
        members = parse_members_file(read_text("/etc/pve/.members") or "").members
        if node not in members or not members[node].address:
            return f"the address of {node} is not known"
        # bash is on every node; netcat is on none.
        argv = ["timeout", str(PATIENCE), "bash", "-c", "exec 3<>/dev/tcp/$0/$1", server, str(port)]
        words = run_on_member(node, members[node].address, argv, PATIENCE * 2)
        return None if words is None else f"port {port} of {server}: {words}"


def _try_here(server: str, port: int) -> str | None:
    try:
        socket.create_connection((server, port), timeout=PATIENCE).close()
    except OSError as error:
        return f"port {port} of {server}: {error.strerror or error}"
    return None
