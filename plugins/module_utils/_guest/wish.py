# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wants of one guest, read and checked.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._desired.kinds import Tags
from .drives import DriveWish
from .guest_types import QEMU, GuestType
from .key_tables import DRIVE_COUNTS

STATES = ("present", "started", "stopped", "restarted", "template", "absent")
_CLOUD_INIT_KEYS = ("ciuser", "cipassword", "sshkeys", "cicustom", "nameserver", "searchdomain")


@dataclass(frozen=True)
class CloneSource:
    source: str
    full: bool | None = None
    storage: str = ""
    image_format: str = ""
    snapname: str = ""


@dataclass(frozen=True)
class ImageSource:
    """A cloud image or a container's template: a volume, a file on the node, or an address with its checksum."""

    volume: str = ""
    path: str = ""
    url: str = ""
    checksum: str = ""
    storage: str = ""
    filename: str = ""


@dataclass(frozen=True)
class Snippet:
    name: str
    storage: str
    content: str


@dataclass(frozen=True)
class HighAvailability:
    """The guest's entry among the resources of high availability; not wanted means that there shall be none."""

    wanted: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GuestWish:
    type: GuestType = QEMU
    name: str = ""
    vmid: int | None = None
    node: str = ""
    state: str = "present"
    #: Keys in their normal form, without volumes.
    config: Mapping[str, Any] = field(default_factory=dict)
    drives: Mapping[str, DriveWish] = field(default_factory=dict)
    absent_keys: tuple[str, ...] = ()
    image: ImageSource | None = None
    clone: CloneSource | None = None
    storage: str = ""
    ci_storage: str = ""
    pool: str = ""
    ha: HighAvailability | None = None
    vmid_range: tuple[int, int] | None = None
    restart_policy: str = "never"
    ci_changes: str = "warn"
    update_password: str = "on_create"
    tags_mode: str = "exact"
    force: bool = False
    purge: bool = True
    destroy_unreferenced_disks: bool = False
    timeout: int = 120
    wait_for: Mapping[str, Any] = field(default_factory=dict)
    snippets: tuple[Snippet, ...] = ()
    #: Of a container, for its first user; only a creation takes them.
    password: str = ""
    public_keys: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How results and messages call it."""
        return self.name or str(self.vmid)

    @property
    def wants_cloud_init(self) -> bool:
        return self.type.kind == "qemu" and any(
            key in _CLOUD_INIT_KEYS or key.startswith("ipconfig") for key in self.config
        )


def add_tags(wish: GuestWish, current: Any) -> tuple[str, ...]:
    """The declared tags beside those that are there, for C(tags_mode=add)."""
    return Tags().parse([*wish.config.get("tags", ()), *(current or ())])


def slot_for_image(wish: GuestWish) -> str:
    """The drive that gets the image: the first of the boot order that is declared, else the first declared disk, else scsi0."""
    disks = [slot for slot, drive in wish.drives.items() if drive.is_disk and not drive.volume]
    order = wish.config.get("boot")
    for slot in order if isinstance(order, tuple) else ():
        if slot in disks:
            return slot
    for bus in ("scsi", "virtio", "sata", "ide"):
        for number in range(DRIVE_COUNTS[bus]):
            if f"{bus}{number}" in disks:
                return f"{bus}{number}"
    return "scsi0"
