# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts that plans of new, cloned and changed guests have in common.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from .._desired.compare import Change
from .._desired.kinds import PublicKeys
from .._desired.schema import Schema
from .._plan import Plan, Step
from .drives import DrivePlan
from .errors import Refused
from .findings import Findings
from .guest_types import GuestType
from .ha_resource import plan_high_availability
from .passwords import hash_password, is_hashed
from .property_tables import DRIVE
from .wish import GuestWish


def hashed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Creating stores a password as it is given; only changing it hashes it. So it is always hashed here."""
    password = config.get("cipassword")
    if password and not is_hashed(password):
        return {**config, "cipassword": hash_password(password)}
    return dict(config)


def with_complete_cards(guest_type: GuestType, config: Mapping[str, Any], there: Collection[str]) -> dict[str, Any]:
    """A new card without a model, or a container's without a name, gets what Proxmox VE's own forms propose."""
    complete = dict(config)
    for key, card in config.items():
        if re.fullmatch(r"net\d+", key) and key not in there:
            proposed = {"model": "virtio"} if guest_type.kind == "qemu" else {"name": f"eth{key.removeprefix('net')}"}
            complete[key] = {**proposed, **card}
    return complete


def with_creation_defaults(config: dict[str, Any], has_cloud_init: bool) -> dict[str, Any]:
    # Proxmox VE's default upgrades all packages at the first boot, which holds the package manager's lock against the first tasks.
    if has_cloud_init and "ciupgrade" not in config:
        config["ciupgrade"] = False
    return config


def snippet_steps(wish: GuestWish, found: Findings) -> list[Step]:
    steps = []
    for index, _text in found.stale_snippets:
        snippet = wish.snippets[index]
        arguments = {"storage": snippet.storage, "name": snippet.name, "content": snippet.content}
        steps.append(Step("write_snippet", f"Write the snippet {snippet.storage}:snippets/{snippet.name}.", arguments))
    return steps


def snippet_diff(wish: GuestWish, found: Findings) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = {}, {}
    for index, text in found.stale_snippets:
        name = f"{wish.snippets[index].storage}:snippets/{wish.snippets[index].name}"
        if text is not None:
            before[name] = text
        after[name] = wish.snippets[index].content
    return before, after


def grow_steps(plans: list[DrivePlan]) -> list[Step]:
    steps = []
    for plan in plans:
        if plan.grow_to is not None:
            size = DRIVE.properties["size"].format(plan.grow_to)
            steps.append(Step("resize", f"Let {plan.slot} have {size}.", {"disk": plan.slot, "size": size}))
    return steps


def with_high_availability(wish: GuestWish, found: Findings, status_after: str, rest: Plan, power: Plan) -> Plan:
    """The steps of C(rest), then those of C(power), and those of high availability where they do no harm: a guest leaves it
    before it is started or stopped by hand, and comes under it as it then is."""
    if wish.ha is None:
        ha = Plan((), {}, {})
    else:
        running = "started" if status_after.startswith("running") else "stopped"
        sid = f"{wish.type.ha_prefix}:{found.vmid}"
        ha = plan_high_availability(wish.ha, sid, found.high_availability, running)
    removes = wish.ha is not None and not wish.ha.wanted
    order = (*rest.steps, *ha.steps, *power.steps) if removes else (*rest.steps, *power.steps, *ha.steps)
    return Plan(
        order, {**rest.before, **power.before, **ha.before}, {**rest.after, **power.after, **ha.after}, rest.warnings
    )


def refuse_missing_boot_devices(order: Any, devices: set[str]) -> None:
    for device in order if isinstance(order, tuple) else ():
        if device not in devices:
            raise Refused(
                f"boot: the device {device} is in the order but not in the guest.",
                "Declare it, or take it out of boot.",
            )


def kind_of(schema: Schema, key: str) -> Any:
    row = schema.find(key)
    if row is None:
        raise AssertionError
    return row.kind


def shown_text(guest_type: GuestType, key: str, text: str) -> str:
    """The text of a key as a diff shows it."""
    row = guest_type.schema.find(key)
    change = Change(key, None, text, row is not None and row.secret)
    return shown_change(guest_type, change, "after") or ""


def shown_change(guest_type: GuestType, change: Change, side: str) -> str | None:
    text = change.shown_before if side == "before" else change.shown_after
    kind = kind_of(guest_type.schema, change.key)
    if text is not None and isinstance(kind, PublicKeys):
        return "\n".join(kind.parse(text))
    return text
