# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This node's name and the address it resolves to: without one pmxcfs refuses to start."""

from __future__ import annotations

import os
import socket


def node_name() -> str:
    return os.uname().nodename.split(".")[0]


def first_usable_address(addresses: list[str]) -> str | None:
    """The first one that is no loopback address, in the resolver's order."""
    return next((address for address in addresses if not address.startswith("127.") and address != "::1"), None)


def resolve(name: str) -> str | None:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return None
    return first_usable_address([str(address[4][0]) for address in found])
