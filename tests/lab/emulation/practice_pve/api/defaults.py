# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read-only branches of which only the fresh state is known: answered as long as nobody has configured anything.

As soon as the file behind a branch has content the answer would be a guess, and the branch says "not emulated".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from practice_pve.rest import AnyUser, ApiError, Call, NotEmulated, api_method
from practice_pve.rest.parameters import Array, Object

PVE = Path("/etc/pve")
NOTHING_DIGEST = hashlib.sha1(b"").hexdigest()
MAIL_MATCHER = {
    "name": "default-matcher",
    "comment": "Route all notifications to mail-to-root",
    "mode": "all",
    "origin": "builtin",
    "target": ["mail-to-root"],
}
# path -> the files that must be empty or absent, the answer
LISTS: dict[str, tuple[tuple[str, ...], list[Any]]] = {
    "/cluster/acme/plugins": (("priv/acme/plugins.cfg",), []),
    "/cluster/backup": (("jobs.cfg",), []),
    "/cluster/firewall/rules": (("firewall/cluster.fw",), []),
    "/cluster/jobs": ((), [{"subdir": "schedule-analyze"}, {"subdir": "realm-sync"}]),
    "/cluster/mapping/dir": (("mapping/directory.cfg",), []),
    "/cluster/mapping/pci": (("mapping/pci.cfg",), []),
    "/cluster/notifications/matchers": (("notifications.cfg",), [MAIL_MATCHER]),
    "/cluster/replication": (("replication.cfg",), []),
    "/cluster/sdn": ((), [{"id": name} for name in ("vnets", "zones", "controllers", "ipams", "dns", "fabrics")]),
    "/cluster/sdn/vnets": (("sdn/vnets.cfg",), []),
    "/cluster/sdn/zones": (("sdn/zones.cfg",), []),
    "/nodes/{node}/firewall/rules": (("nodes/{node}/host.fw",), []),
    "/nodes/{node}/replication": (("replication.cfg",), []),
    "/nodes/{node}/scan": ((), [{"method": name} for name in ("cifs", "iscsi", "lvm", "nfs", "pbs", "zfs")]),
    "/nodes/{node}/sdn/zones": (("sdn/zones.cfg",), []),
}
OBJECTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "/cluster/firewall/options": (("firewall/cluster.fw",), {"digest": NOTHING_DIGEST}),
    "/nodes/{node}/firewall/options": (("nodes/{node}/host.fw",), {"digest": NOTHING_DIGEST}),
}
# programs that a node does not have until somebody installs them
MISSING = {
    "/nodes/{node}/ceph/status": "binary not installed: /usr/bin/ceph-mon\n",
    "/nodes/{node}/disks/zfs": "zfsutils-linux not installed\n",
}
# answered by pvedaemon, which shows in the answer's headers
PROTECTED = frozenset(
    (
        "/cluster/acme/plugins", "/cluster/notifications/matchers", "/nodes/{node}/replication", "/nodes/{node}/sdn/zones",
        "/nodes/{node}/ceph/status", "/nodes/{node}/disks/zfs",
    )
)  # fmt: skip
LEFT_OVER_ENOENT = 2


def answer_fresh(files: tuple[str, ...], value: Any) -> Callable[[Call], Any]:
    """Return the function of one branch."""

    def answer(call: Call) -> Any:
        for name in files:
            path = PVE / name.format(node=call.params.get("node", ""))
            if path.is_file() and path.stat().st_size:
                raise NotEmulated(f"{call.path} once {path} has content")
        return value

    return answer


def refuse(message: str) -> Callable[[Call], Any]:
    """Return the function of a branch whose program is missing."""

    def answer(_call: Call) -> Any:
        raise ApiError(message, exit_code=LEFT_OVER_ENOENT)

    return answer


def register(path: str, function: Callable[[Call], Any], returns: Array | Object, **more: Any) -> None:
    """Put one branch into the method table."""
    proxyto = "node" if "{node}" in path else None
    api_method(
        "GET", path, permissions=AnyUser(), protected=path in PROTECTED, proxyto=proxyto, returns=returns, **more
    )(function)


for branch, (needed, listing) in LISTS.items():
    register(branch, answer_fresh(needed, listing), Array(items=Object(properties={})))
for branch, (needed, fields) in OBJECTS.items():
    # pvesh cannot handle this one: its real schema has no properties
    register(branch, answer_fresh(needed, fields), Object(), has_properties=branch != "/cluster/firewall/options")
for branch, words in MISSING.items():
    register(branch, refuse(words), Object())
