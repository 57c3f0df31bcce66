# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a guest that is there: what differs, and the steps that settle it without losing anything.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._desired.compare import Change, compare
from .._desired.schema import CREATION, LIVE, Schema
from .._plan import Plan, Step
from .drives import DrivePlan, is_cloud_init_drive, storage_of
from .errors import Refused
from .findings import Findings
from .first_boot import changes_first_boot, unconfigured_cards, warn_about_cards
from .plan_drives import plan_drives, wanted_drives
from .plan_parts import (
    grow_steps,
    hashed,
    refuse_missing_boot_devices,
    shown_change,
    snippet_diff,
    snippet_steps,
    with_complete_cards,
    with_high_availability,
)
from .plan_power import plan_power
from .state import GuestState
from .wish import GuestWish, add_tags


def plan_update(wish: GuestWish, found: Findings, current: GuestState) -> Plan:
    schema = wish.type.schema
    there = schema.parse_current(current.config)
    warnings: list[str] = []
    drive_plans = plan_drives(wanted_drives(wish, "", False, there), there)
    has_cloud_init = any(is_cloud_init_drive(drive) for key, drive in there.items() if wish.type.is_volume(key))
    changes = _config_changes(wish, found, there)
    if has_cloud_init and not current.is_template:
        changes = _guard_first_boot(wish, changes, warnings)
    slots_after = ({*there} | {*wish.config} | {plan.slot for plan in drive_plans}) - set(wish.absent_keys)
    if "boot" in {change.key for change in changes}:
        refuse_missing_boot_devices(wish.config.get("boot"), slots_after)
    settings = {change.key: change.after for change in changes if change.after is not None}
    # What waits for a restart names the volume, so it is written when the volume has its place and size.
    later = {plan.slot: _as_it_then_is(wish, plan) for plan in drive_plans if _is_written_later(plan, current)}
    settings.update({plan.slot: plan.write for plan in drive_plans if plan.write and plan.slot not in later})
    deletions = sorted(change.key for change in changes if change.after is None)
    steps = snippet_steps(wish, found)
    if settings or deletions:
        steps.append(_configure_step(wish, settings, deletions, drive_plans))
    for plan in drive_plans:
        if plan.move_to:
            _refuse_to_move_what_runs(wish, current, plan)
            arguments = {"disk": plan.slot, "storage": plan.move_to, "image_format": plan.move_format or None}
            steps.append(Step("move_disk", f"Move {plan.slot} to {plan.move_to}.", arguments))
    steps += grow_steps(drive_plans)
    if later:
        steps.append(_configure_step(wish, later, [], []))
    if wish.pool and wish.pool != current.pool:
        steps.append(Step("set_pool", f"Put it into the pool {wish.pool}.", {"pool": wish.pool}))
    before, after = _difference(wish, found, current, changes, drive_plans, there)
    needs_restart = bool(current.pending) or any(
        _waits_for_restart(schema, key) for key in (*settings, *later, *deletions)
    )
    power = plan_power(wish, current, restart_needed=needs_restart and current.is_running, changed=bool(steps))
    cards = unconfigured_cards(slots_after, has_cloud_init, wish.config.get("cicustom") or there.get("cicustom"))
    warnings += warn_about_cards([card for card in cards if card in settings])
    rest = Plan(tuple(steps), before, after, tuple(warnings))
    return with_high_availability(wish, found, str(power.after.get("status", current.status)), rest, power)


def _configure_step(
    wish: GuestWish, settings: dict[str, str], deletions: list[str], drive_plans: list[DrivePlan]
) -> Step:
    names = [*sorted(settings), *(f"{key} (away)" for key in deletions)]
    # Only virtual machines have a call that makes disks in a task; a container's change always answers when it is done.
    allocates = wish.type.kind == "qemu" and any(plan.allocates for plan in drive_plans)
    arguments = {"settings": settings, "delete": deletions, "as_task": allocates}
    return Step("configure", f"Set {', '.join(names)}.", arguments)


def _refuse_to_move_what_runs(wish: GuestWish, current: GuestState, plan: DrivePlan) -> None:
    if wish.type.kind == "lxc" and current.is_running:
        raise Refused(
            f"{plan.slot}: it cannot be moved to {plan.move_to} while the container {current.name or current.vmid} runs.",
            "Stop it in a run before with state: stopped.",
        )


def _is_written_later(plan: DrivePlan, current: GuestState) -> bool:
    waits = plan.slot in current.pending
    return bool(plan.move_to or plan.grow_to) and (waits or (plan.write is not None and current.is_running))


def _as_it_then_is(wish: GuestWish, plan: DrivePlan) -> str:
    """C(local:@rootfs) stands for the volume that is in the slot by then, with its size."""
    options = {name: part for name, part in plan.after.items() if name != "size"}
    return wish.type.volumes.format({**options, "file": f"{storage_of(plan.after)}:@{plan.slot}"})


def _difference(
    wish: GuestWish,
    found: Findings,
    current: GuestState,
    changes: list[Change],
    drive_plans: list[DrivePlan],
    there: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = snippet_diff(wish, found)
    for change in changes:
        if change.before is not None:
            before[change.key] = shown_change(wish.type, change, "before")
        if change.after is not None:
            after[change.key] = shown_change(wish.type, change, "after")
    for plan in drive_plans:
        if plan.write or plan.move_to or plan.grow_to:
            if plan.slot in there:
                before[plan.slot] = wish.type.volumes.format(there[plan.slot])
            after[plan.slot] = wish.type.volumes.format(plan.after)
    if wish.pool and wish.pool != current.pool:
        before.update({"pool": current.pool} if current.pool else {})
        after["pool"] = wish.pool
    return before, after


def _config_changes(wish: GuestWish, found: Findings, there: Mapping[str, Any]) -> list[Change]:
    config = with_complete_cards(wish.type, wish.config, there)
    if "tags" in config and wish.tags_mode == "add":
        config["tags"] = add_tags(wish, there.get("tags"))
    keeps_password = wish.update_password == "on_create" or found.password_is_set
    if "cipassword" in config and "cipassword" in there and keeps_password:
        del config["cipassword"]
    changes = compare(wish.type.schema, hashed(config), there, wish.absent_keys)
    for change in changes:
        row = wish.type.schema.find(change.key)
        if row and row.effect == CREATION:
            raise Refused(
                f"{change.key}: it is {change.before or 'not set'} and cannot be changed once the {wish.type.noun} exists.",
                "Leave it as it is, or make another one.",
            )
    return changes


def _guard_first_boot(wish: GuestWish, changes: list[Change], warnings: list[str]) -> list[Change]:
    touching = [change for change in changes if changes_first_boot(wish.type.schema, change)]
    if not touching or wish.ci_changes == "apply":
        return changes
    names = ", ".join(change.key for change in touching)
    if wish.ci_changes == "refuse":
        raise Refused(
            f"{names}: changing this makes the guest run its first boot again and get new SSH host keys.",
            "Say ci_changes: apply to do it, or ci_changes: ignore to leave it as it is.",
        )
    if wish.ci_changes == "ignore":
        warnings.append(f"{names}: left as it is, because a change would run the guest's first boot again.")
        return [change for change in changes if change not in touching]
    warnings.append(f"{names}: the guest will run its first boot again at its next start and get new SSH host keys.")
    return changes


def _waits_for_restart(schema: Schema, key: str) -> bool:
    row = schema.find(key)
    return row is not None and row.effect != LIVE
