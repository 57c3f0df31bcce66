# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only root@pam itself may declare, told before anything is sent.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._plan import Plan
from .._session.interface import Session
from .errors import Refused
from .wish import GuestWish


def demand_root(session: Session, what: str) -> None:
    if session.user != "root@pam":
        raise Refused(
            f"{what}: only root@pam itself may do that, not {session.user}.",
            "Use transport: local, or log in as root@pam with its password.",
        )


def check_root_keys(session: Session, wish: GuestWish, plan: Plan) -> None:
    """What is declared and is so already may stay, whoever looks."""
    for what in _root_only(wish, _written_keys(plan), is_new=any(step.action == "create" for step in plan.steps)):
        demand_root(session, what)


def _written_keys(plan: Plan) -> set[str]:
    written: set[str] = set()
    for step in plan.steps:
        written.update(
            step.arguments.get("parameters", ()), step.arguments.get("settings", ()), step.arguments.get("delete", ())
        )
    return written


def _root_only(wish: GuestWish, written: set[str], is_new: bool) -> Iterator[str]:
    for key in sorted(written):
        row = wish.type.schema.find(key)
        if row and row.root_only:
            yield key
        part = _raw_device(key, wish.config.get(key))
        if part:
            yield part
    for slot, drive in wish.drives.items():
        if slot in written and drive.volume.startswith("/"):
            yield slot
        if slot in written and drive.import_from.startswith("/"):
            yield f"{slot}.import-from"
    if wish.type.kind == "lxc" and "features" in written:
        yield from (f"features.{name}" for name in wish.config.get("features", ()) if name != "nesting")
    if wish.image and wish.image.path and is_new:
        yield f"{wish.type.source_option}.path"


def _raw_device(key: str, value: object) -> str:
    """A device of the host rather than a mapping of the datacenter, or a serial port that is one."""
    if key.startswith(("hostpci", "usb")) and isinstance(value, dict) and value.get("host") not in (None, "spice"):
        return f"{key}.host"
    if key.startswith("serial") and str(value).startswith("/"):
        return key
    return ""
