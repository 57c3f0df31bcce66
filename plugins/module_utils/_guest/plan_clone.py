# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a clone: cloning takes no configuration, so what is declared is applied to the copy in the same task.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._plan import Plan, Step
from .drives import is_cloud_init_drive, storage_of
from .errors import Refused
from .findings import Findings
from .plan_parts import snippet_diff, snippet_steps, with_creation_defaults
from .plan_update import plan_update
from .property_tables import CONTAINER_NETWORK, NETWORK_CARD
from .state import GuestState
from .wish import CloneSource, GuestWish


def plan_clone(wish: GuestWish, found: Findings) -> Plan:
    source, template = wish.clone, found.template
    if source is None or template is None:
        raise AssertionError
    full = source.full if source.full is not None else not template.is_template
    storage = (source.storage or wish.storage or _one_storage(wish)) if full else ""
    step = _clone_step(wish, found, template, source, full, storage)
    copied = _predict_clone(template, found, wish, storage)
    there = wish.type.schema.parse_current(copied.config)
    has_cloud_init = any(is_cloud_init_drive(drive) for key, drive in there.items() if wish.type.is_volume(key))
    config = {key: value for key, value in wish.config.items() if key != wish.type.name_key}
    if (has_cloud_init or wish.ci_storage) and "ciupgrade" not in template.config:
        with_creation_defaults(config, True)
    changing = replace(wish, config=config, pool="", ci_changes="apply", update_password="always", snippets=())
    rest = plan_update(changing, replace(found, current=copied, stale_snippets=()), copied)
    before, after = snippet_diff(wish, found)
    after.update({"vmid": found.vmid, "node": found.node, "clone of": template.name or str(template.vmid)})
    after.update({wish.type.name_key: wish.name} if wish.name else {})
    after.update({"pool": wish.pool} if wish.pool else {})
    after.update({"status": "stopped", **rest.after})
    return Plan((*snippet_steps(wish, found), step, *rest.steps), before, after, rest.warnings)


def _clone_step(
    wish: GuestWish, found: Findings, template: GuestState, source: CloneSource, full: bool, storage: str
) -> Step:
    name = template.name or str(template.vmid)
    if not full and not template.is_template:
        raise Refused(
            f"clone: {name} is no template, so only a full clone of it is possible.",
            "Leave full away or say full: true.",
        )
    if wish.type.kind == "lxc" and template.is_running and not source.snapname:
        raise Refused(
            f"clone: the container {name} runs, and a running one can be cloned only from a snapshot.",
            "Stop it, or say clone: {source: ..., snapname: ...}.",
        )
    arguments: dict[str, Any] = {
        "source": template.vmid,
        "source_node": template.node,
        "full": full,
        wish.type.name_key: wish.name or None,
        "storage": storage or None,
        "format": source.image_format or None if full and wish.type.kind == "qemu" else None,
        "snapname": source.snapname or None,
        "pool": wish.pool or None,
    }
    kind = "full" if full else "linked"
    return Step("clone", f"Make {wish.label} as {found.vmid} on {found.node}, a {kind} clone of {name}.", arguments)


def _one_storage(wish: GuestWish) -> str:
    storages = {drive.storage for drive in wish.drives.values() if drive.is_disk and drive.storage}
    return storages.pop() if len(storages) == 1 else ""


def _predict_clone(template: GuestState, found: Findings, wish: GuestWish, storage: str) -> GuestState:
    """The clone before it is configured: everything copied, cards with new addresses, volumes with names not known yet."""
    config: dict[str, Any] = {}
    codec = wish.type.volumes
    for key, value in template.config.items():
        if key in ("smbios1", "vmgenid") or key.startswith("unused"):
            continue
        if wish.type.is_volume(key):
            drive = codec.parse(value)
            if drive.get("media") != "cdrom" or is_cloud_init_drive(drive):
                place = storage or storage_of(drive)
                volume = f"{place}:@cloudinit" if is_cloud_init_drive(drive) else f"{place}:@{key}"
                config[key] = codec.format({**drive, "file": volume})
                continue
        config[key] = _without_address(wish, str(value)) if key.startswith("net") else value
    return GuestState(found.vmid, found.node, wish.name, kind=wish.type.kind, config=config)


def _without_address(wish: GuestWish, text: str) -> str:
    codec, address = (NETWORK_CARD, "macaddr") if wish.type.kind == "qemu" else (CONTAINER_NETWORK, "hwaddr")
    card = codec.parse(text)
    card.pop(address, None)
    return codec.format(card)
