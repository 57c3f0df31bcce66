# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there: the definition, the nodes, and who needs a storage.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
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
    """Every node, and whether it is online."""
    return {str(node["node"]): node.get("status") == "online" for node in session.get("/nodes")}


def read_uses(session: Session, name: str) -> list[str]:
    """Guests with a volume there, backup jobs that write there, storages that stand on it."""
    uses = []
    for guest in session.get("/cluster/resources", type="vm"):
        branch = "lxc" if guest.get("type") == "lxc" else "qemu"
        config = session.get(join_path("nodes", guest["node"], branch, guest["vmid"], "config"))
        keys = sorted(key for key, value in config.items() if _names_storage(key, value, name))
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


def _names_storage(key: str, value: Any, name: str) -> bool:
    # Only what can hold a volume: a description may begin with any words.
    is_volume = re.fullmatch(r"(?:scsi|virtio|ide|sata|efidisk|tpmstate|unused|mp)\d+|rootfs|vmstate", key)
    return bool(is_volume) and re.match(rf"(?:file=|volume=)?{re.escape(name)}:", str(value)) is not None
