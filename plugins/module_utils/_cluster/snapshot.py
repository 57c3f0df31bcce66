# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that was read about one node at one moment, in the cluster's terms.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.high_availability import HighAvailability
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.links import LinkStatus
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import Membership
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.quorum import QuorumStatus
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.units import UnitState

# The transient units that carry the long steps, by the operation that they do.
MEMBERSHIP_OPERATIONS = ("create", "join", "leave", "remove")
UNIT_OF_OPERATION = {
    operation: f"baremetal-proxmox-{operation}.service" for operation in (*MEMBERSHIP_OPERATIONS, "qdevice", "config")
}


@dataclass(frozen=True)
class NodeDirectory:
    """C(/etc/pve/nodes/NAME)."""

    name: str
    guests: tuple[str, ...] = ()
    has_certificate: bool = False


@dataclass(frozen=True)
class DiskCertificate:
    file: str
    fingerprint: str | None
    has_key: bool


@dataclass(frozen=True)
class Snapshot:
    node_name: str
    boot_id: str = ""
    mounted: Reading[bool] = field(default_factory=lambda: unknown("not read"))
    membership: Reading[Membership] = field(default_factory=lambda: unknown("not read"))
    # The cluster's configuration (in pmxcfs) and corosync's own copy of it.
    config: Reading[CorosyncConfig] = field(default_factory=lambda: unknown("not read"))
    local_config: Reading[CorosyncConfig] = field(default_factory=lambda: unknown("not read"))
    writable: Reading[bool] = field(default_factory=lambda: unknown("not read"))
    quorum: Reading[QuorumStatus] = field(default_factory=lambda: unknown("not read"))
    links: Reading[LinkStatus] = field(default_factory=lambda: unknown("not read"))
    node_directories: Reading[Mapping[str, NodeDirectory]] = field(default_factory=lambda: unknown("not read"))
    disk_certificate: Reading[DiskCertificate] = field(default_factory=lambda: unknown("not read"))
    served_fingerprint: Reading[str] = field(default_factory=lambda: unknown("not read"))
    high_availability: Reading[HighAvailability] = field(default_factory=lambda: unknown("not read"))
    authkey: Reading[int] = field(default_factory=lambda: unknown("not read"))
    ring_files: Reading[list[str]] = field(default_factory=lambda: unknown("not read"))
    database: Reading[int] = field(default_factory=lambda: unknown("not read"))
    database_holds_cluster: Reading[bool] = field(default_factory=lambda: unknown("not read"))
    database_dumps: Reading[list[str]] = field(default_factory=lambda: unknown("not read"))
    units: Reading[Mapping[str, UnitState]] = field(default_factory=lambda: unknown("not read"))
    foreign_commands: Reading[list[str]] = field(default_factory=lambda: unknown("not read"))
    local_addresses: Reading[list[str]] = field(default_factory=lambda: unknown("not read"))
    own_addresses: Reading[list[str]] = field(default_factory=lambda: unknown("not read"))
    # Written when a separation begins and taken away when it is complete.
    leave_marker: Reading[str] = field(default_factory=lambda: unknown("not read"))
    lease: Reading[str] = field(default_factory=lambda: unknown("not read"))

    def unit(self, name: str) -> UnitState | None:
        return self.units.value.get(name) if self.units.value is not None else None

    def active(self, name: str) -> bool:
        unit = self.unit(name)
        return unit is not None and unit.running

    @property
    def running_operation(self) -> str | None:
        """The operation of ours on the membership that a transient unit is doing at this moment."""
        for operation in MEMBERSHIP_OPERATIONS:
            unit = self.unit(UNIT_OF_OPERATION[operation])
            if unit is not None and unit.busy:
                return operation
        return None

    @property
    def quorate(self) -> bool | None:
        """None where corosync cannot say."""
        return self.quorum.value.quorate if self.quorum.value is not None else None

    @property
    def other_directories(self) -> dict[str, NodeDirectory]:
        own = self.node_name.lower()
        directories = self.node_directories.value or {}
        return {name: directory for name, directory in directories.items() if name.lower() != own}

    @property
    def own_guests(self) -> tuple[str, ...]:
        directory = (self.node_directories.value or {}).get(self.node_name)
        return directory.guests if directory else ()

    @property
    def certificate_is_served(self) -> bool | None:
        """None where either side is unknown; False also when there is no certificate or no key for it."""
        if self.disk_certificate.absent:
            return False
        disk, served = self.disk_certificate.value, self.served_fingerprint.value
        if disk is None or served is None:
            return None
        return disk.has_key and disk.fingerprint == served
