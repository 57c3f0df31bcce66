# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All drives of a virtual machine, or mount points of a container, together: which slots the wish means, and what each needs.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .drives import DrivePlan, DriveWish, is_cloud_init_drive, plan_new_drive, plan_used_drive
from .errors import Refused
from .wish import GuestWish, slot_for_image

#: Where Proxmox VE's own interface puts the cloud-init drive.
CLOUD_INIT_SLOT = "ide2"


def wanted_drives(
    wish: GuestWish, import_source: str, is_new: bool, current: Mapping[str, Any]
) -> dict[str, DriveWish]:
    """The declared drives, and those that an image and cloud-init keys need beside them."""
    drives = {slot: _with_storage(wish, drive) for slot, drive in wish.drives.items()}
    if import_source and is_new:
        slot = slot_for_image(wish)
        if slot not in drives:
            if not wish.storage:
                raise Refused(
                    "image: no disk is declared for it.", f"Add scsi: {{{slot}: {{storage: ...}}}}, or storage."
                )
            drives[slot] = DriveWish(slot, storage=wish.storage)
        drives[slot] = replace(drives[slot], import_from=import_source)
    has_cloud_init = bool(_cloud_init_slot(current)) or any(drive.is_cloud_init for drive in drives.values())
    storage = wish.ci_storage or (wish.storage if wish.wants_cloud_init and is_new else "")
    if storage and not has_cloud_init and (wish.ci_storage or wish.wants_cloud_init):
        slot = next(
            name for name in (CLOUD_INIT_SLOT, "ide0", "ide1", "ide3", "sata5") if name not in {*drives, *current}
        )
        drives[slot] = DriveWish(slot, storage=storage, is_cloud_init=True)
    return drives


def _with_storage(wish: GuestWish, drive: DriveWish) -> DriveWish:
    """A new disk without a storage of its own goes to the guest's."""
    if wish.storage and not drive.storage and not drive.volume and drive.size is not None:
        return replace(drive, storage=wish.storage)
    return drive


def _cloud_init_slot(current: Mapping[str, Any]) -> str:
    return next((slot for slot, drive in current.items() if isinstance(drive, dict) and is_cloud_init_drive(drive)), "")


def plan_drives(drives: Mapping[str, DriveWish], current: Mapping[str, Any]) -> list[DrivePlan]:
    """What each declared slot needs beside what is there; slots that are not declared are not looked at."""
    there = _cloud_init_slot(current)
    plans = []
    for slot, drive in sorted(drives.items()):
        if drive.is_cloud_init and there and there != slot:
            raise Refused(
                f"{slot}: a guest has one cloud-init drive, and it is at {there}.",
                f"Declare it at {there}, or detach it first with absent_keys: [{there}].",
            )
        used = current.get(slot)
        plans.append(plan_used_drive(drive, used) if isinstance(used, dict) else plan_new_drive(drive))
    return plans
