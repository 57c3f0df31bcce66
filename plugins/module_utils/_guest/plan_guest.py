# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a wish and a state to a plan. Nothing here asks or changes anything.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._desired.compare import Change, compare
from .._desired.kinds import PublicKeys
from .._desired.schema import LIVE, Schema
from .._plan import Plan, Step
from .drives import DrivePlan, is_cloud_init_drive, storage_of
from .errors import Refused
from .first_boot import changes_first_boot, unconfigured_cards, warn_about_cards
from .key_tables import VIRTUAL_MACHINE, is_drive
from .passwords import hash_password, is_hashed
from .plan_drives import plan_drives, wanted_drives
from .plan_power import plan_power
from .property_tables import DRIVE, NETWORK_CARD
from .state import GuestState
from .wish import GuestWish, add_tags, slot_for_image


@dataclass(frozen=True)
class Findings:
    """What the first look has settled, so that the plan itself needs no questions."""

    vmid: int
    node: str
    current: GuestState | None = None
    template: GuestState | None = None
    import_source: str = ""
    #: Snippets (storage:snippets/name) that are not there as declared, with the text that is there now (None: no file).
    stale_snippets: tuple[tuple[int, str | None], ...] = ()
    #: Whether the declared password is the one that is set; None when nobody can tell.
    password_is_set: bool | None = None


def plan_guest(wish: GuestWish, found: Findings, schema: Schema = VIRTUAL_MACHINE) -> Plan:
    if found.current is None:
        if wish.clone:
            if found.template is None:
                raise AssertionError
            return _plan_clone(wish, found, schema)
        return _plan_create(wish, found, schema)
    return _plan_update(wish, found, found.current, schema)


def _hashed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Creating stores a password as it is given; only changing it hashes it. So it is always hashed here."""
    password = config.get("cipassword")
    if password and not is_hashed(password):
        return {**config, "cipassword": hash_password(password)}
    return dict(config)


def _snippet_steps(wish: GuestWish, found: Findings) -> list[Step]:
    steps = []
    for index, _text in found.stale_snippets:
        snippet = wish.snippets[index]
        arguments = {"storage": snippet.storage, "name": snippet.name, "content": snippet.content}
        steps.append(Step("write_snippet", f"Write the snippet {snippet.storage}:snippets/{snippet.name}.", arguments))
    return steps


def _snippet_diff(wish: GuestWish, found: Findings) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = {}, {}
    for index, text in found.stale_snippets:
        name = f"{wish.snippets[index].storage}:snippets/{wish.snippets[index].name}"
        if text is not None:
            before[name] = text
        after[name] = wish.snippets[index].content
    return before, after


def _with_creation_defaults(config: dict[str, Any], has_cloud_init: bool) -> dict[str, Any]:
    # Proxmox VE's default upgrades all packages at the first boot, which holds the package manager's lock against the first tasks.
    if has_cloud_init and "ciupgrade" not in config:
        config["ciupgrade"] = False
    return config


def _plan_create(wish: GuestWish, found: Findings, schema: Schema) -> Plan:
    drives = plan_drives(wanted_drives(wish, found.import_source, True, {}), {})
    has_cloud_init = any(is_cloud_init_drive(drive.after) for drive in drives)
    config = _with_creation_defaults(_hashed(wish.config), has_cloud_init)
    slots = [drive.slot for drive in drives]
    if found.import_source and "boot" not in config:
        config["boot"] = (slot_for_image(wish),)
    _refuse_missing_boot_devices(config.get("boot"), {*slots, *config})
    texts = {key: str(_row_kind(schema, key).format(value)) for key, value in config.items()}
    texts.update({drive.slot: drive.write for drive in drives if drive.write})
    parameters: dict[str, Any] = {**texts, **({"pool": wish.pool} if wish.pool else {})}
    steps = _snippet_steps(wish, found)
    steps.append(Step("create", f"Create {wish.label} as {found.vmid} on {found.node}.", {"parameters": parameters}))
    steps += _grow_steps(drives)
    before, after = _snippet_diff(wish, found)
    after.update({"vmid": found.vmid, "node": found.node})
    after.update({key: _shown(schema, key, text) for key, text in texts.items()})
    after.update({drive.slot: DRIVE.format(drive.after) for drive in drives})
    if wish.pool:
        after["pool"] = wish.pool
    power = plan_power(wish, GuestState(found.vmid, found.node), restart_needed=False, changed=False, is_new=True)
    after.update(power.after)
    cards = unconfigured_cards([*config, *slots], has_cloud_init, config.get("cicustom"))
    return Plan((*steps, *power.steps), before, after, tuple(warn_about_cards(cards)))


def _plan_clone(wish: GuestWish, found: Findings, schema: Schema) -> Plan:
    source, template = wish.clone, found.template
    if source is None or template is None:
        raise AssertionError
    full = source.full if source.full is not None else not template.is_template
    if not full and not template.is_template:
        raise Refused(
            f"clone: {template.name or template.vmid} is no template, so only a full clone of it is possible.",
            "Leave full away or say full: true.",
        )
    storage = (source.storage or wish.storage or _one_storage(wish)) if full else ""
    arguments: dict[str, Any] = {
        "source": template.vmid,
        "source_node": template.node,
        "full": full,
        "name": wish.name or None,
    }
    arguments.update({"storage": storage or None, "format": source.image_format or None if full else None})
    arguments.update({"snapname": source.snapname or None, "pool": wish.pool or None})
    kind = "full" if full else "linked"
    step = Step(
        "clone",
        f"Make {wish.label} as {found.vmid} on {found.node}, a {kind} clone of {template.name or template.vmid}.",
        arguments,
    )
    copied = _predict_clone(template, found, wish, storage)
    has_cloud_init = any(
        is_cloud_init_drive(drive) for key, drive in schema.parse_current(copied.config).items() if is_drive(key)
    )
    config = {key: value for key, value in wish.config.items() if key != "name"}
    if (has_cloud_init or wish.ci_storage) and "ciupgrade" not in template.config:
        _with_creation_defaults(config, True)
    changing = replace(wish, config=config, pool="", ci_changes="apply", update_password="always", snippets=())
    rest = _plan_update(changing, replace(found, current=copied, stale_snippets=()), copied, schema)
    before, after = _snippet_diff(wish, found)
    after.update({"vmid": found.vmid, "node": found.node, "clone of": template.name or str(template.vmid)})
    after.update({"name": wish.name} if wish.name else {})
    after.update({"pool": wish.pool} if wish.pool else {})
    after.update({"status": "stopped", **rest.after})
    return Plan((*_snippet_steps(wish, found), step, *rest.steps), before, after, rest.warnings)


def _one_storage(wish: GuestWish) -> str:
    storages = {drive.storage for drive in wish.drives.values() if drive.is_disk and drive.storage}
    return storages.pop() if len(storages) == 1 else ""


def _predict_clone(template: GuestState, found: Findings, wish: GuestWish, storage: str) -> GuestState:
    """The clone before it is configured: everything copied, cards with new addresses, volumes with names not known yet."""
    config: dict[str, Any] = {}
    for key, value in template.config.items():
        if key in ("smbios1", "vmgenid") or key.startswith("unused"):
            continue
        if is_drive(key):
            drive = DRIVE.parse(value)
            if drive.get("media") != "cdrom" or is_cloud_init_drive(drive):
                place = storage or storage_of(drive)
                config[key] = {
                    **drive,
                    "file": f"{place}:@cloudinit" if is_cloud_init_drive(drive) else f"{place}:@{key}",
                }
                config[key] = DRIVE.format(config[key])
                continue
        if key.startswith("net"):
            value = _without_address(str(value))
        config[key] = value
    return GuestState(found.vmid, found.node, wish.name, config=config)


def _without_address(text: str) -> str:
    card = NETWORK_CARD.parse(text)
    card.pop("macaddr", None)
    return NETWORK_CARD.format(card)


def _plan_update(wish: GuestWish, found: Findings, current: GuestState, schema: Schema) -> Plan:
    there = schema.parse_current(current.config)
    warnings: list[str] = []
    drive_plans = plan_drives(wanted_drives(wish, "", False, there), there)
    has_cloud_init = any(is_cloud_init_drive(drive) for key, drive in there.items() if is_drive(key))
    changes = _config_changes(wish, found, there, schema)
    if has_cloud_init and not current.is_template:
        changes = _guard_first_boot(wish, schema, changes, warnings)
    slots_after = ({*there} | {*wish.config} | {plan.slot for plan in drive_plans}) - set(wish.absent_keys)
    if "boot" in {change.key for change in changes}:
        _refuse_missing_boot_devices(wish.config.get("boot"), slots_after)
    settings = {change.key: change.after for change in changes if change.after is not None}
    settings.update({plan.slot: plan.write for plan in drive_plans if plan.write})
    deletions = sorted(change.key for change in changes if change.after is None)
    before: dict[str, Any] = {
        change.key: _shown_change(schema, change, "before") for change in changes if change.before is not None
    }
    after: dict[str, Any] = {
        change.key: _shown_change(schema, change, "after") for change in changes if change.after is not None
    }
    steps = _snippet_steps(wish, found)
    snippets_before, snippets_after = _snippet_diff(wish, found)
    before.update(snippets_before)
    after.update(snippets_after)
    if settings or deletions:
        names = [*sorted(settings), *(f"{key} (away)" for key in deletions)]
        allocates = any(plan.allocates for plan in drive_plans)
        arguments = {"settings": settings, "delete": deletions, "as_task": allocates}
        steps.append(Step("configure", f"Set {', '.join(names)}.", arguments))
    for plan in drive_plans:
        if plan.move_to:
            arguments = {"disk": plan.slot, "storage": plan.move_to, "image_format": plan.move_format or None}
            steps.append(Step("move_disk", f"Move {plan.slot} to {plan.move_to}.", arguments))
    steps += _grow_steps(drive_plans)
    for plan in drive_plans:
        if plan.write or plan.move_to or plan.grow_to:
            if plan.slot in there:
                before[plan.slot] = DRIVE.format(there[plan.slot])
            after[plan.slot] = DRIVE.format(plan.after)
    if wish.pool and wish.pool != current.pool:
        steps.append(Step("set_pool", f"Put it into the pool {wish.pool}.", {"pool": wish.pool}))
        before.update({"pool": current.pool} if current.pool else {})
        after["pool"] = wish.pool
    needs_restart = bool(current.pending) or any(_waits_for_restart(schema, key) for key in (*settings, *deletions))
    power = plan_power(wish, current, restart_needed=needs_restart and current.is_running, changed=bool(steps))
    before.update(power.before)
    after.update(power.after)
    cards = unconfigured_cards(slots_after, has_cloud_init, wish.config.get("cicustom") or there.get("cicustom"))
    touched = [card for card in cards if card in settings]
    return Plan((*steps, *power.steps), before, after, (*warnings, *warn_about_cards(touched)))


def _config_changes(wish: GuestWish, found: Findings, there: Mapping[str, Any], schema: Schema) -> list[Change]:
    config = dict(wish.config)
    if "tags" in config and wish.tags_mode == "add":
        config["tags"] = add_tags(wish, there.get("tags"))
    keeps_password = wish.update_password == "on_create" or found.password_is_set
    if "cipassword" in config and "cipassword" in there and keeps_password:
        del config["cipassword"]
    return compare(schema, _hashed(config), there, wish.absent_keys)


def _guard_first_boot(wish: GuestWish, schema: Schema, changes: list[Change], warnings: list[str]) -> list[Change]:
    touching = [change for change in changes if changes_first_boot(schema, change)]
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


def _grow_steps(plans: list[DrivePlan]) -> list[Step]:
    steps = []
    for plan in plans:
        if plan.grow_to is not None:
            size = DRIVE.properties["size"].format(plan.grow_to)
            steps.append(Step("resize", f"Let {plan.slot} have {size}.", {"disk": plan.slot, "size": size}))
    return steps


def _refuse_missing_boot_devices(order: Any, devices: set[str]) -> None:
    for device in order if isinstance(order, tuple) else ():
        if device not in devices:
            raise Refused(
                f"boot: the device {device} is in the order but not in the guest.",
                "Declare it, or take it out of boot.",
            )


def _waits_for_restart(schema: Schema, key: str) -> bool:
    row = schema.find(key)
    return row is not None and row.effect != LIVE


def _is_secret(schema: Schema, key: str) -> bool:
    row = schema.find(key)
    return row is not None and row.secret


def _row_kind(schema: Schema, key: str) -> Any:
    row = schema.find(key)
    if row is None:
        raise AssertionError
    return row.kind


def _shown(schema: Schema, key: str, text: str) -> str:
    return _shown_change(schema, Change(key, None, text, _is_secret(schema, key)), "after") or ""


def _shown_change(schema: Schema, change: Change, side: str) -> str | None:
    text = change.shown_before if side == "before" else change.shown_after
    kind = _row_kind(schema, change.key)
    if text is not None and isinstance(kind, PublicKeys):
        return "\n".join(kind.parse(text))
    return text
