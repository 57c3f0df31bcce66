# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/scan/...: what a server offers, seen from a node."""

from __future__ import annotations

from practice_pve.rest import ApiError, Call, Check, api_method
from practice_pve.rest.parameters import NODE, Array, Object, Text
from practice_pve.storage import formats  # noqa: F401 - registers pve-storage-server
from practice_pve.storage.network_file_system import list_exports, resolve


@api_method(
    "GET", "/nodes/{node}/scan/nfs", protected=True, proxyto="node",
    parameters={"node": NODE, "server": Text(format="pve-storage-server")},
    permissions=Check("perm", "/storage", ["Datastore.Allocate"]),
    returns=Array(items=Object(properties={"path": Text(), "options": Text()})),
)  # fmt: skip
def scan_nfs(call: Call) -> list[dict]:
    """The exports of an NFS server, by its mount service."""
    server = call.params["server"]
    address = resolve(server)
    if address is None:
        raise ApiError(f"unable to resolve address for server '{server}'")
    return [{"path": path, "options": clients} for path, clients in sorted(list_exports(address).items())]
