# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a guest that does not exist yet: one call that makes it, and what that call cannot do.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._desired.compare import MASKED
from .._plan import Plan, Step
from .drives import DrivePlan, DriveWish, is_cloud_init_drive
from .errors import Refused
from .findings import Findings
from .first_boot import unconfigured_cards, warn_about_cards
from .passwords import hash_password, is_hashed
from .plan_drives import plan_drives, wanted_drives
from .plan_parts import (
    grow_steps,
    hashed,
    kind_of,
    refuse_missing_boot_devices,
    shown_text,
    snippet_diff,
    snippet_steps,
    with_complete_cards,
    with_creation_defaults,
    with_high_availability,
)
from .plan_power import plan_power
from .state import GuestState
from .wish import GuestWish, slot_for_image

#: What Proxmox VE gives a container for whose root nothing is declared.
_ROOT_SIZE = 4 * 1024**3


def plan_create(wish: GuestWish, found: Findings) -> Plan:
    is_container = wish.type.kind == "lxc"
    drives = (
        _plan_mount_points(wish)
        if is_container
        else plan_drives(wanted_drives(wish, found.import_source, True, {}), {})
    )
    has_cloud_init = any(is_cloud_init_drive(drive.after) for drive in drives)
    config = with_creation_defaults(with_complete_cards(wish.type, hashed(wish.config), ()), has_cloud_init)
    slots = [drive.slot for drive in drives]
    if found.import_source and not is_container and "boot" not in config:
        config["boot"] = (slot_for_image(wish),)
    refuse_missing_boot_devices(config.get("boot"), {*slots, *config})
    texts = {key: str(kind_of(wish.type.schema, key).format(value)) for key, value in config.items()}
    texts.update({drive.slot: drive.write for drive in drives if drive.write})
    only_here = _creation_parameters(wish, found) if is_container else {}
    parameters: dict[str, Any] = {**texts, **only_here, **({"pool": wish.pool} if wish.pool else {})}
    steps = snippet_steps(wish, found)
    steps.append(Step("create", f"Create {wish.label} as {found.vmid} on {found.node}.", {"parameters": parameters}))
    steps += grow_steps(drives)
    before, after = snippet_diff(wish, found)
    after.update({"vmid": found.vmid, "node": found.node})
    after.update({key: shown_text(wish.type, key, text) for key, text in texts.items()})
    after.update({drive.slot: wish.type.volumes.format(drive.after) for drive in drives})
    after.update({key: MASKED if key == "password" else text for key, text in only_here.items()})
    if wish.pool:
        after["pool"] = wish.pool
    power = plan_power(wish, GuestState(found.vmid, found.node), restart_needed=False, changed=False, is_new=True)
    cards = unconfigured_cards([*config, *slots], has_cloud_init, config.get("cicustom"))
    made = Plan(tuple(steps), before, after, tuple(warn_about_cards(cards)))
    return with_high_availability(wish, found, str(power.after.get("status", "stopped")), made, power)


def _plan_mount_points(wish: GuestWish) -> list[DrivePlan]:
    volumes = dict(wish.drives)
    if "rootfs" not in volumes and wish.storage:
        volumes["rootfs"] = DriveWish("rootfs", storage=wish.storage, size=_ROOT_SIZE, codec=wish.type.volumes)
    if "rootfs" not in volumes:
        raise Refused("rootfs: nothing says on which storage to make the container.", "Declare rootfs or storage.")
    return plan_drives(wanted_drives(replace(wish, drives=volumes), "", True, {}), {})


def _creation_parameters(wish: GuestWish, found: Findings) -> dict[str, str]:
    """What only the creation of a container takes. Nothing of it can be read back."""
    if not found.import_source:
        raise Refused("ostemplate: nothing says what to make the container from.", "Declare ostemplate or clone.")
    parameters = {"ostemplate": found.import_source}
    if wish.password:
        parameters["password"] = wish.password if is_hashed(wish.password) else hash_password(wish.password)
    if wish.public_keys:
        parameters["ssh-public-keys"] = "\n".join(wish.public_keys) + "\n"
    return parameters
