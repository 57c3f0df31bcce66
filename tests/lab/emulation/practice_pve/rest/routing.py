# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node answers a method."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from practice_pve import settings

from .call import Call
from .errors import ApiError, ParameterErrors
from .methods import Method

MEMBERS_FILE = "/etc/pve/.members"
EAGAIN = 11


def resolve_node(method: Method, path: str, params: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the other node that must answer and its address; (None, "") when it is this one."""
    if method.proxyto is None:
        return None, ""
    if callable(method.proxyto):
        node = method.proxyto(Call(method, path, dict(params)))
    else:
        given = params.get(method.proxyto)
        if not given:
            raise ParameterErrors({method.proxyto: "proxyto parameter does not exist"})
        node = str(given)
    if node in ("localhost", settings.nodename()):
        return None, ""
    return node, node_address(node)


def member_addresses() -> dict[str, str]:
    """Return the members' addresses as pmxcfs knows them; a member that is away may have none."""
    try:
        with open(MEMBERS_FILE, encoding="utf-8") as stream:
            members = json.load(stream)
    except (OSError, ValueError):
        return {}
    return {name: entry["ip"] for name, entry in members.get("nodelist", {}).items() if entry.get("ip")}


def node_address(node: str) -> str:
    """Return a node's address: from the member list, else by name resolution (which fails with PVE's text)."""
    known = member_addresses().get(node)
    if known:
        return known
    try:
        return str(socket.getaddrinfo(node, None, type=socket.SOCK_STREAM)[0][4][0])
    except socket.gaierror as error:
        raise ApiError(
            f"hostname lookup '{node}' failed - failed to get address info for: {node}: {error.strerror}\n",
            exit_code=EAGAIN,
        ) from None
