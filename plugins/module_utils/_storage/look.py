# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there: the definition, the nodes, and who needs a storage.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._session.errors import NotFound
from .._session.interface import Session, join_path
from .plan_storage import Definition


def read_definition(session: Session, name: str) -> Definition | None:
    try:
        config = session.get(join_path("storage", name))
    except NotFound:
        return None
    return Definition(name, str(config["type"]), config)


def read_nodes(session: Session) -> dict[str, bool]:
    """Every node, and whether it is online. (GET /nodes would not know a node that has just joined.)"""
    entries = session.get("/cluster/status")
    return {str(entry["name"]): int(entry.get("online", 0)) == 1 for entry in entries if entry.get("type") == "node"}


def read_uses(session: Session, name: str) -> list[str]:
    """Guests with a volume there, backup jobs that write there, storages that stand on it."""
    uses = []
    for guest in session.get("/cluster/resources", type="vm"):
        branch = "lxc" if guest.get("type") == "lxc" else "qemu"
        config = session.get(join_path("nodes", guest["node"], branch, guest["vmid"], "config"))
        keys = sorted(key for key, storage in storages_of(config).items() if storage == name)
        if keys:
            kind = "container" if branch == "lxc" else "virtual machine"
            uses.append(f"{kind} {guest['vmid']} on {guest['node']} ({', '.join(keys)})")
    for job in session.get("/cluster/backup"):
        if job.get("storage") == name:
            uses.append(f"backup job {job.get('id', '')}".strip())
    for other in session.get("/storage"):
        if str(other.get("base", "")).startswith(f"{name}:"):
            uses.append(f"storage {other['storage']}, which has its base there")
    return uses


def storages_of(config: Mapping[str, Any]) -> dict[str, str]:
    """A guest's configuration: the key of every volume, and the storage that it lies on."""
    found = {}
    for key, value in config.items():
        # Only what can hold a volume: a description may begin with any words.
        if re.fullmatch(r"(?:scsi|virtio|ide|sata|efidisk|tpmstate|unused|mp)\d+|rootfs|vmstate", key):
            volume = re.match(r"(?:file=|volume=)?([a-zA-Z][\w.-]*):", str(value))
            if volume:
                found[key] = volume[1]
    return found
