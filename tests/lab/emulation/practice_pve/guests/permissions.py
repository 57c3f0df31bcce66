# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may set which key of a virtual machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from practice_pve.access import permissions
from practice_pve.access.user_config import load as load_users
from practice_pve.guests.formats import is_drive_name
from practice_pve.guests.tables.machine_options import CLOUD_INIT_OPTIONS
from practice_pve.rest.errors import ApiError, PermissionDenied

ROOT = "root@pam"
_PRIVILEGE_OF_KEYS = {
    "VM.Config.CPU": "cores cpu cpulimit cpuunits numa smp sockets vcpus",
    "VM.Config.Memory": "memory balloon shares allow-ksm",
    "VM.Config.HWType": "acpi hotplug kvm machine scsihw smbios1 tablet vga watchdog audio0 rng0",
    "VM.Config.Options": "agent autostart bios description keyboard localtime migrate_downtime migrate_speed name onboot"
    " ostype protection reboot startdate startup tdf template",
    "VM.PowerMgmt": "freeze",
    "VM.Config.Disk": "boot bootdisk vmstatestorage",
}
_PRIVILEGE_OF = {key: privilege for privilege, keys in _PRIVILEGE_OF_KEYS.items() for key in keys.split()}
# What these need depends on the value.
_BY_VALUE = re.compile(r"(?:unused|serial|usb|hostpci|virtiofs)\d+")


def require(
    user: str | None, guest_id: int, privileges: list[str], pool: str | None = None, *, any_of: bool = False
) -> None:
    """403 unless the user has the privileges on the guest or on the pool it is going to."""
    who = user or ""
    if pool and permissions.has(who, f"/pool/{pool}", privileges, any_of=any_of):
        return
    permissions.require(who, f"/vms/{guest_id}", privileges, any_of=any_of)


def assert_may_create(user: str | None, guest_id: int, pool: str | None) -> None:
    """VM.Allocate on the id or on the pool."""
    who = user or ""
    if pool is not None and pool not in load_users().pools:
        raise PermissionDenied(f"pool '{pool}' does not exist")
    if permissions.has(who, f"/vms/{guest_id}", ["VM.Allocate"]):
        return
    if pool and permissions.has(who, f"/pool/{pool}", ["VM.Allocate"]):
        return
    raise PermissionDenied()


def assert_may_set(user: str | None, guest_id: int, keys: Iterable[str], pool: str | None = None) -> None:
    """Every key's privilege; what no privilege covers is root's alone."""
    if user == ROOT:
        return
    for key in keys:
        if is_drive_name(key) or key in ("cdrom", "tags") or _BY_VALUE.fullmatch(key):
            continue
        if key in CLOUD_INIT_OPTIONS or re.fullmatch(r"ipconfig\d+", key):
            require(user, guest_id, ["VM.Config.Cloudinit", "VM.Config.Network"], pool, any_of=True)
        elif re.fullmatch(r"net\d+", key):
            require(user, guest_id, ["VM.Config.Network"], pool)
        elif re.fullmatch(r"numa\d+", key):
            require(user, guest_id, ["VM.Config.CPU"], pool)
        elif key in _PRIVILEGE_OF:
            require(user, guest_id, [_PRIVILEGE_OF[key]], pool)
            if key == "startup":
                permissions.require(user or "", "/", ["Sys.Modify"])
        else:
            raise ApiError(f"only root can set '{key}' config")


def assert_may_use_storages(user: str | None, names: Iterable[str]) -> None:
    """Datastore.AllocateSpace wherever a volume is going to be made."""
    for name in names:
        permissions.require(user or "", f"/storage/{name}", ["Datastore.AllocateSpace"])


def assert_may_use_bridges(user: str | None, values: Mapping[str, object]) -> None:
    """SDN.Use on the bridge of every card, or on each VLAN that the card is limited to."""
    if user == ROOT:
        return
    for key in sorted(values):
        if not re.fullmatch(r"net\d+", key):
            continue
        card = dict(part.split("=", 1) for part in str(values[key]).split(",") if "=" in part)
        if "bridge" in card:
            bridge = f"/sdn/zones/localnetwork/{card['bridge']}"
            limits = [*([card["tag"]] if "tag" in card else []), *sorted(_vlans(card.get("trunks", "")))]
            for path in [f"{bridge}/{vlan}" for vlan in limits] or [bridge]:
                permissions.require(user or "", path, ["SDN.Use"])


def _vlans(trunks: str) -> set[str]:
    """The numbers of `1;5-7`."""
    found: set[str] = set()
    for part in filter(None, trunks.split(";")):
        first, _dash, last = part.partition("-")
        found.update(str(number) for number in range(int(first), int(last or first) + 1))
    return found


def may_see(user: str | None, guest_id: int) -> bool:
    """True when lists show the guest to this user."""
    return permissions.has(user or "", f"/vms/{guest_id}", ["VM.Audit"])
