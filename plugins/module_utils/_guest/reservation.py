# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed creation leaves: an id with a lock and nothing else. Whether it still is worked on, and whose it is.

This file is private to the collection and may change without notice.

CONTRACT. A reservation is removed only if it holds nothing (no name, no volume, no key), no creation or clone runs, and the node's
list of tasks has an unsuccessful one of our own user: of this very id, or a clone, whose task carries the id of its source.
"""

from __future__ import annotations

import subprocess
from typing import Any

from .._session.interface import Session
from .errors import GuestError
from .guest_types import GuestType
from .state import GuestState


def is_being_made(state: GuestState) -> bool:
    return state.lock in ("create", "clone")


def is_worked_on(session: Session, guest_type: GuestType, state: GuestState) -> bool:
    rows = session.get(f"/nodes/{state.node}/tasks", source="active")
    return any(_concerns(row, guest_type, state) for row in rows if not row.get("endtime") and not row.get("status"))


def is_our_reservation(session: Session, guest_type: GuestType, state: GuestState) -> bool:
    if not state.is_husk:
        return False
    for action in ("create", "clone"):
        rows = session.get(
            f"/nodes/{state.node}/tasks", source="all", typefilter=guest_type.tasks[action], errors=True, limit=100
        )
        if any(_concerns(row, guest_type, state) and row.get("user") == session.user for row in rows):
            return True
    return False


def unlock_container(session: Session, node: str, vmid: int) -> None:
    if session.node != node:
        raise GuestError(
            f"{vmid} is locked, and a container's lock can be taken away only on its node.",
            f"On {node}: pct unlock {vmid}",
        )
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        ["pct", "unlock", str(vmid)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise GuestError(f"pct unlock {vmid}: {done.stderr.strip()}")


def _concerns(row: dict[str, Any], guest_type: GuestType, state: GuestState) -> bool:
    if row.get("type") == guest_type.tasks["create"]:
        return str(row.get("id")) == str(state.vmid)
    # A clone's task carries the id of its source, so any clone may be the one.
    return bool(row.get("type") == guest_type.tasks["clone"])
