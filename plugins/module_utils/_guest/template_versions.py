# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates that follow their image: which version there is, which shall be, and the way from one to the other.

This file is private to the collection and may change without notice.

CONTRACT. The current version has the template's name, every other one the name and the first digits of its image's checksum. The
last line of the description says which image it was made from. A new version is made beside the current one and takes over the
name when it is complete. Clones are never touched: a version on which linked clones depend stays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._desired.errors import InvalidValue
from .errors import Refused
from .read_wish import parse_wish
from .scalars import read_vmid, read_whole
from .state import GuestState
from .wish import GuestWish

_MARKER = re.compile(r"^made from (.+)$", re.MULTILINE)
_DIGITS = 12
#: What is the template's own business, or has no meaning for one.
_NOT_OF_A_TEMPLATE = ("name", "vmid", "state", "image", "clone", "node", "vmid_range", "wait_for", "ha", "force",
                      "restart_policy", "cipassword", "absent_keys", "snippets")  # fmt: skip


@dataclass(frozen=True)
class TemplateWish:
    name: str
    #: How the image is told from others: its checksum, or else its place.
    identity: str
    machine: GuestWish
    vmid: int | None = None
    keep: int = 1

    @property
    def version_name(self) -> str:
        return f"{self.name}-{short(self.identity)}"


def short(identity: str) -> str:
    """A part of a name: of a checksum its first digits."""
    digits = identity.partition(":")[2]
    if not re.fullmatch(r"[0-9a-f]{32,}", digits):
        digits = hashlib.sha256(identity.encode()).hexdigest()
    return digits[:_DIGITS]


def read_template_wish(options: Mapping[str, Any]) -> TemplateWish:
    machine = dict(options.get("machine") or {})
    for key in machine:
        if key in _NOT_OF_A_TEMPLATE:
            raise InvalidValue("it has no place in the machine of a template", f"machine.{key}")
    own = {
        name: options[name]
        for name in ("name", "image", "node", "storage", "vmid_range", "timeout")
        if options.get(name)
    }
    wish = parse_wish({**machine, **own, "state": "template"})
    if wish.image is None:
        raise InvalidValue("a template needs the image it is made from", "image")
    identity = wish.image.checksum.lower() or wish.image.volume or wish.image.path
    description = f"{wish.config.get('description', '')}\n\nmade from {identity}".strip()
    marked = replace(wish, config={**wish.config, "description": description})
    vmid = None if options.get("vmid") is None else read_vmid("vmid", options["vmid"])
    return TemplateWish(wish.name, identity, marked, vmid, read_whole("keep", options.get("keep", 1), 0))


def identity_of(state: GuestState) -> str:
    """Which image a version was made from; nothing if it does not say so."""
    found = _MARKER.findall(str(state.config.get("description", "")))
    return str(found[-1]).strip() if found else ""


def is_old_version(name: str, guest: GuestState) -> bool:
    return guest.is_template and bool(re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{{_DIGITS}}}", guest.name))


def name_of_old_version(wish: TemplateWish, current: GuestState) -> str:
    return f"{wish.name}-{short(identity_of(current))}"


def check_current(wish: TemplateWish, current: GuestState) -> None:
    if not current.is_template:
        raise Refused(
            f"{wish.name} ({current.vmid}) is no template, and it is not turned into one.",
            "Declare another name, or make a template of it with proxmox_qm_vm and state: template.",
        )
    if not identity_of(current):
        raise Refused(
            f"The template {wish.name} ({current.vmid}) does not say which image it was made from.",
            f"If it is this one, write as the last line of its description: made from {wish.identity}; else give it another name.",
        )


def too_old(wish: TemplateWish, versions: Iterable[GuestState]) -> list[GuestState]:
    """The versions beyond those that are kept, the oldest first."""
    oldest_first = sorted(versions, key=lambda version: (version.created, version.vmid))
    return oldest_first[: max(0, len(oldest_first) - wish.keep)]
