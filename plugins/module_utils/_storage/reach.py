# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nodes reach what a storage stands on, asked before anything is written.

This file is private to the collection and may change without notice.

Proxmox VE itself asks only the node that makes the definition; every other node finds out later, and its guests with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._desired.kinds import Names
from .._session.errors import NotAuthenticated, SessionError
from .._session.interface import Session, join_path
from .errors import StorageError
from .tables import STORAGE, TYPES, Probe

NFS_PORT = 2049
#: Opens a connection from a node: its name, the server, the port. Returns None, or why it cannot be opened.
Connect = Callable[[str, str, int], "str | None"]


def demand_reachable(
    session: Session,
    kind: str,
    keys: Mapping[str, Any],
    nodes: Sequence[str],
    online: Mapping[str, bool],
    connect: Connect,
) -> list[str]:
    """Ask all of the nodes; StorageError names each that fails. Returns warnings about those that cannot be asked."""
    unknown = sorted(set(nodes) - set(online))
    if unknown:
        raise StorageError(
            f"There is no node {', '.join(unknown)}; there are {Names().format(sorted(online))}.",
            "Correct nodes.",
        )
    probe = TYPES[kind].probe
    if probe is None:
        return []
    refused = {}
    for node in nodes:
        if online[node]:
            reason = (
                _ask_nfs_4(keys, node, connect) if _is_nfs_4(kind, keys) else _ask(session, probe, keys, node, connect)
            )
            if reason:
                refused[node] = reason
    if refused:
        what = f"{keys.get('server', '')}{':' if keys.get('server') else ''}{keys[probe.key]}"
        reasons = "; ".join(f"{node}: {reason}" for node, reason in refused.items())
        raise StorageError(
            f"{what} cannot be used from {', '.join(refused)}: {reasons}.",
            "Nothing was changed. Put that right, leave the nodes out (nodes), or say check_reachable: false.",
            refused,
        )
    return [f"{node} is offline: whether it reaches the storage is not known." for node in nodes if not online[node]]


def _is_nfs_4(kind: str, keys: Mapping[str, Any]) -> bool:
    # The same text that Proxmox VE looks for. Such a server need not tell its exports to anybody.
    return kind == "nfs" and "vers=4" in str(keys.get("options", ""))


def _ask_nfs_4(keys: Mapping[str, Any], node: str, connect: Connect) -> str | None:
    port = re.search(r"\bport=(\d+)", str(keys.get("options", "")))
    return connect(node, keys["server"], int(port[1]) if port and int(port[1]) else NFS_PORT)


def _ask(session: Session, probe: Probe, keys: Mapping[str, Any], node: str, connect: Connect) -> str | None:
    parameters = {
        name: STORAGE.rows[key].kind.format(keys[key]) for name, key in probe.parameters if keys.get(key) is not None
    }
    try:
        found = session.get(join_path("nodes", node, "scan", probe.method), **parameters)
    except NotAuthenticated:
        raise
    except SessionError as error:
        reason = " ".join(error.message.split())
        if probe.method == "nfs" and connect(node, keys["server"], NFS_PORT) is None:
            return f"{reason} (port {NFS_PORT} is open: a server that speaks NFS 4 only needs options: vers=4.2)"
        return reason
    listed = sorted(str(entry.get(probe.listed_as)) for entry in found)
    if str(keys[probe.key]) in listed:
        return None
    return f"{keys[probe.key]} is not among what is there ({', '.join(listed) or 'nothing'})"
