# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How full storages are, and what the other nodes get to know about them."""

from __future__ import annotations

import os

from practice_pve import settings
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError, NotEmulated
from practice_pve.storage import volumes
from practice_pve.storage.definitions import Storage, load_storages


def storage_entry(storage: Storage, *, with_formats: bool = False) -> dict:
    """One storage as GET /nodes/N/storage lists it."""
    enabled = not storage.is_disabled and storage.is_on_node(settings.nodename())
    entry: dict = {
        "storage": storage.name,
        "type": storage.type,
        "content": ",".join(storage.content),
        "enabled": int(enabled),
        "active": 0,
        "shared": int(storage.is_shared),
        "total": 0,
        "used": 0,
        "avail": 0,
    }
    if with_formats:
        entry["formats"] = {"default": storage.default_format, "supported": list(storage.kind.formats)}
    if enabled:
        entry.update(usage(storage))
    return entry


def usage(storage: Storage) -> dict:
    """Sizes in bytes; a storage that cannot be reached stays at zero."""
    if not storage.kind.has_path:
        return {}
    try:
        volumes.activate(storage)
        found = os.statvfs(storage.path or "/")
    except (ApiError, NotEmulated, OSError):
        return {}
    total, available = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    entry: dict = {"active": 1, "total": total, "used": used, "avail": available}
    entry["used_fraction"] = used / total if total else 0
    return entry


def storage_entries(
    *, content: str | None = None, name: str | None = None, only_enabled: bool = False, with_formats: bool = False
) -> list[dict]:
    """All storages of this node, narrowed down."""
    wanted = set(content.split(",")) if content else set()
    found = []
    for storage in load_storages().storages.values():
        if (name and storage.name != name) or (wanted and not wanted & set(storage.content)):
            continue
        if not storage.is_on_node(settings.nodename()):
            continue
        entry = storage_entry(storage, with_formats=with_formats)
        if not only_enabled or entry["enabled"]:
            found.append(entry)
    return found


def broadcast_storages() -> None:
    """Send sizes to the other nodes as pvestatd does; called every 10 seconds."""
    import time

    for entry in storage_entries(only_enabled=True):
        if entry["active"]:
            value = f"{int(time.time())}:{entry['total']}:{entry['used']}"
            client.broadcast_rrd(f"pve-storage-9.0/{settings.nodename()}/{entry['storage']}", value)
