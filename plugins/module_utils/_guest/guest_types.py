# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two kinds of guests, virtual machines and containers: everything in which they differ, as data.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._desired.property_string import PropertyString
from .._desired.schema import Schema
from . import property_tables as parts
from .key_tables import CONTAINER, VIRTUAL_MACHINE


@dataclass(frozen=True)
class GuestType:
    #: As the API's paths call it.
    kind: str
    noun: str
    schema: Schema
    #: The key that is the guest's name.
    name_key: str
    #: The kind of the keys that are volumes.
    volumes: PropertyString
    #: Options that hold a family of keys, and what those keys begin with.
    families: Mapping[str, str]
    #: The types of tasks that Proxmox VE starts for an action.
    tasks: Mapping[str, str]
    #: The option that says what a new one is made from, and the content type of a storage for it.
    source_option: str
    source_content: tuple[str, ...]
    #: What high availability calls it.
    ha_prefix: str
    #: Where its configuration is, below /etc/pve/nodes/NODE.
    directory: str
    program: str

    def is_volume(self, key: str) -> bool:
        row = self.schema.find(key)
        return row is not None and row.kind is self.volumes


QEMU = GuestType(
    kind="qemu",
    noun="virtual machine",
    schema=VIRTUAL_MACHINE,
    name_key="name",
    volumes=parts.DRIVE,
    families={
        **{
            name: name
            for name in (
                *("net", "scsi", "virtio", "sata", "ide", "ipconfig"),
                *("serial", "usb", "hostpci", "parallel", "virtiofs"),
            )
        },
        "numa_nodes": "numa",
    },
    tasks={
        **{
            name: f"qm{name}" for name in ("create", "clone", "config", "move", "start", "stop", "shutdown", "template")
        },
        "destroy": "qmdestroy",
    },
    source_option="image",
    source_content=("import", "images", "iso"),
    ha_prefix="vm",
    directory="qemu-server",
    program="qm",
)

LXC = GuestType(
    kind="lxc",
    noun="container",
    schema=CONTAINER,
    name_key="hostname",
    volumes=parts.MOUNT_POINT,
    families={"net": "net", "mp": "mp", "dev": "dev"},
    tasks={
        **{name: f"vz{name}" for name in ("create", "clone", "start", "stop", "shutdown", "template", "destroy")},
        "config": "vzconfig",
        "move": "move_volume",
    },
    source_option="ostemplate",
    source_content=("vztmpl",),
    ha_prefix="ct",
    directory="lxc",
    program="pct",
)
