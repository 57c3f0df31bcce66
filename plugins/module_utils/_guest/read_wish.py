# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a module, or one entry of a list of guests, to a checked wish.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._desired.errors import InvalidValue
from .._desired.kinds import PublicKeys, show
from .drives import parse_drive_wish
from .guest_types import QEMU, GuestType
from .read_sources import read_clone, read_high_availability, read_image, read_range, read_snippet, read_wait
from .scalars import read_choice, read_flag, read_list, read_text, read_vmid, read_whole
from .wish import STATES, GuestWish

#: Options that are no keys of Proxmox VE's configuration, whatever the guest is ...
CONTROL = ("vmid", "name", "node", "state", "clone", "storage", "pool", "ha", "vmid_range", "absent_keys", "restart_policy",
           "force", "purge", "destroy_unreferenced_disks", "timeout", "wait_for", "tags_mode", "config")  # fmt: skip
#: ... and those of one kind of guests.
OWN_CONTROL = {
    "qemu": ("image", "ci_storage", "ci_changes", "update_password", "snippets"),
    "lxc": ("ostemplate", "password", "ssh_public_keys"),
}
RESTART_POLICIES = ("never", "if_required", "always")
CI_CHANGES = ("apply", "warn", "ignore", "refuse")
UPDATE_PASSWORD = ("on_create", "always")
TAGS_MODES = ("exact", "add")


def merge_defaults(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry over the defaults; dictionaries are merged, everything else is replaced."""
    merged = dict(defaults)
    for name, value in entry.items():
        if isinstance(value, Mapping) and isinstance(merged.get(name), Mapping):
            merged[name] = merge_defaults(merged[name], value)
        else:
            merged[name] = value
    return merged


def parse_wish(options: Mapping[str, Any], guest_type: GuestType = QEMU) -> GuestWish:
    """Check everything that can be checked without asking Proxmox VE; the message of an InvalidValue names the key."""
    given = {str(name): value for name, value in options.items() if value is not None}
    keys = _collect_keys(given, guest_type)
    drives = {
        name: parse_drive_wish(name, value, guest_type.volumes)
        for name, value in keys.items()
        if guest_type.is_volume(name) and value is not None
    }
    config = guest_type.schema.parse_all({name: value for name, value in keys.items() if name not in drives})
    name_key = guest_type.name_key
    if "name" in given:
        if name_key in config and config[name_key] != given["name"]:
            raise InvalidValue("it is given twice", name_key)
        config[name_key] = guest_type.schema.parse(name_key, given["name"])
    absent = read_list("absent_keys", given.get("absent_keys", ()))
    wish = GuestWish(
        type=guest_type,
        name=str(config.get(name_key, "")),
        vmid=read_vmid("vmid", given["vmid"]) if given.get("vmid") not in (None, "") else None,
        node=read_text("node", given.get("node", "")),
        state=read_choice("state", given.get("state", "present"), STATES),
        config=config,
        drives=drives,
        absent_keys=tuple(_read_absent_key(guest_type, str(name)) for name in absent),
        image=read_image(guest_type.source_option, given.get(guest_type.source_option)),
        clone=read_clone(given.get("clone")),
        storage=read_text("storage", given.get("storage", "")),
        ci_storage=read_text("ci_storage", given.get("ci_storage", "")),
        pool=read_text("pool", given.get("pool", "")),
        ha=read_high_availability(given.get("ha")),
        vmid_range=read_range(given.get("vmid_range")),
        restart_policy=read_choice("restart_policy", given.get("restart_policy", "never"), RESTART_POLICIES),
        ci_changes=read_choice("ci_changes", given.get("ci_changes", "warn"), CI_CHANGES),
        update_password=read_choice("update_password", given.get("update_password", "on_create"), UPDATE_PASSWORD),
        tags_mode=read_choice("tags_mode", given.get("tags_mode", "exact"), TAGS_MODES),
        force=read_flag("force", given.get("force", False)),
        purge=read_flag("purge", given.get("purge", True)),
        destroy_unreferenced_disks=read_flag(
            "destroy_unreferenced_disks", given.get("destroy_unreferenced_disks", False)
        ),
        timeout=read_whole("timeout", given.get("timeout", 120), 1),
        wait_for=read_wait(guest_type, given.get("wait_for")),
        snippets=tuple(read_snippet(entry) for entry in read_list("snippets", given.get("snippets", ()))),
        password=_read_password(given.get("password")),
        public_keys=_read_public_keys(given.get("ssh_public_keys")),
    )
    _check_together(wish)
    return wish


def _collect_keys(given: dict[str, Any], guest_type: GuestType) -> dict[str, Any]:
    """Take everything that is a key of the configuration out of C(given)."""
    further = given.pop("config", {})
    if not isinstance(further, Mapping):
        raise InvalidValue(f"a dictionary is needed, not {show(further)}", "config")
    keys: dict[str, Any] = {str(name): value for name, value in further.items()}
    for family, prefix in guest_type.families.items():
        for name, value in _read_family(family, prefix, given.pop(family, None)).items():
            _add(keys, name, value)
    for name in [name for name in given if name not in (*CONTROL, *OWN_CONTROL[guest_type.kind])]:
        _add(keys, name, given.pop(name))
    return keys


def _read_family(family: str, prefix: str, value: Any) -> dict[str, Any]:
    """C(net: {net0: ...}) or C(net: {0: ...}); a list counts from 0."""
    if value is None:
        return {}
    if isinstance(value, (list, tuple)):
        return {f"{prefix}{index}": entry for index, entry in enumerate(value)}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"a dictionary like {{{prefix}0: ...}} is needed, not {show(value)}", family)
    members = {}
    for name, entry in value.items():
        key = f"{prefix}{name}" if re.fullmatch(r"\d+", str(name)) else str(name)
        if not re.fullmatch(rf"{prefix}\d+", key):
            raise InvalidValue(f"here only {prefix}0, {prefix}1 and so on have a place", f"{family}.{key}")
        members[key] = entry
    return members


def _add(keys: dict[str, Any], name: str, value: Any) -> None:
    if name in keys and keys[name] is not None and value is not None:
        raise InvalidValue("it is given twice", name)
    if value is not None or name not in keys:
        keys[name] = value


def _read_absent_key(guest_type: GuestType, name: str) -> str:
    key, dot, part = name.partition(".")
    if re.fullmatch(r"unused\d+", key):
        raise InvalidValue("a volume without a slot is not deleted by this module", key)
    if key == "rootfs" and guest_type.is_volume(key):
        raise InvalidValue(f"no {guest_type.noun} can be without it", key)
    return guest_type.schema.canonical(key) + dot + part


def _read_password(value: Any) -> str:
    password = "" if value is None else str(value)
    if password and len(password) < 5:
        raise InvalidValue("it needs at least 5 characters", "password")
    return password


def _read_public_keys(value: Any) -> tuple[str, ...]:
    try:
        return PublicKeys().parse(value) if value else ()
    except InvalidValue as error:
        raise error.below("ssh_public_keys") from error


def _check_together(wish: GuestWish) -> None:
    if not wish.name and wish.vmid is None:
        raise InvalidValue("a guest needs a name, a vmid, or both", "name")
    option = wish.type.source_option
    if wish.image and wish.clone:
        raise InvalidValue(f"either {option} or clone, not both", option)
    both = sorted(set(wish.absent_keys) & ({*wish.config, *wish.drives}))
    if both:
        raise InvalidValue(f"{both[0]} is declared and in absent_keys", both[0])
    cloud_init = [slot for slot, drive in wish.drives.items() if drive.is_cloud_init]
    if len(cloud_init) > 1:
        raise InvalidValue(
            f"there can be only one cloud-init drive, not one at {' and at '.join(cloud_init)}", cloud_init[1]
        )
    for key, value in wish.config.items():
        if key.startswith("ipconfig"):
            for gateway, address in (("gw", "ip"), ("gw6", "ip6")):
                if value.get(gateway) and not value.get(address):
                    raise InvalidValue(f"a gateway needs {address} beside it", f"{key}.{gateway}")
    _check_high_availability(wish)


def _check_high_availability(wish: GuestWish) -> None:
    if not wish.ha or not wish.ha.wanted:
        return
    runs = {"started": "started", "restarted": "started", "stopped": "stopped"}.get(wish.state)
    declared = wish.ha.settings.get("state")
    if wish.state in ("template", "absent"):
        raise InvalidValue(f"high availability does not go with state: {wish.state}", "ha")
    if runs and declared in ("started", "stopped") and declared != runs:
        raise InvalidValue(f"{declared} contradicts state: {wish.state}", "ha.state")
