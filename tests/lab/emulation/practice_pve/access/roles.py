# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileges and the roles that every installation has."""

from __future__ import annotations

# per category: what an administrator, a user and an auditor may do; "root" is for Administrator alone
PRIVILEGES: dict[str, dict[str, tuple[str, ...]]] = {
    "VM": {
        "admin": (
            "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.HWType",
            "VM.Config.Options", "VM.Allocate", "VM.Clone", "VM.GuestAgent.Unrestricted", "VM.Migrate",
            "VM.Replicate", "VM.Snapshot", "VM.Snapshot.Rollback",
        ),
        "user": (
            "VM.Config.CDROM", "VM.Config.Cloudinit", "VM.Console", "VM.Backup", "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt", "VM.GuestAgent.FileWrite", "VM.PowerMgmt",
        ),
        "audit": ("VM.Audit", "VM.GuestAgent.Audit"),
    },
    "Sys": {
        "root": ("Sys.PowerMgmt", "Sys.Modify", "Sys.Incoming", "Sys.AccessNetwork"),
        "admin": ("Sys.Console", "Sys.Syslog"),
        "audit": ("Sys.Audit",),
    },
    "Datastore": {
        "admin": ("Datastore.Allocate", "Datastore.AllocateTemplate"),
        "user": ("Datastore.AllocateSpace",),
        "audit": ("Datastore.Audit",),
    },
    "SDN": {"admin": ("SDN.Allocate", "SDN.Audit"), "user": ("SDN.Use",), "audit": ("SDN.Audit",)},
    "User": {"root": ("Realm.Allocate",), "admin": ("User.Modify", "Group.Allocate", "Realm.AllocateUser")},
    "Pool": {"admin": ("Pool.Allocate",), "user": ("Pool.Audit",), "audit": ("Pool.Audit",)},
    "Mapping": {"admin": ("Mapping.Modify",), "user": ("Mapping.Use",), "audit": ("Mapping.Audit",)},
}  # fmt: skip


def all_privileges() -> frozenset[str]:
    """Return every privilege there is."""
    return frozenset({"Permissions.Modify"}).union(
        *(names for kinds in PRIVILEGES.values() for names in kinds.values())
    )


def special_roles() -> dict[str, frozenset[str]]:
    """Return the roles that need no entry in user.cfg."""
    roles: dict[str, set[str]] = {"NoAccess": set(), "Administrator": set(all_privileges()), "PVEAdmin": set()}
    for category, kinds in PRIVILEGES.items():
        admin, user, audit = (set(kinds.get(kind, ())) for kind in ("admin", "user", "audit"))
        roles[f"PVE{category}Admin"] = admin | user | audit
        roles["PVEAdmin"] |= admin | user | audit
        if user:
            roles[f"PVE{category}User"] = user | audit
        roles.setdefault("PVEAuditor", set()).update(audit)
    roles["PVEAdmin"].discard("Mapping.Modify")
    roles["PVETemplateUser"] = {"VM.Clone", "VM.Audit"}
    return {name: frozenset(privileges) for name, privileges in roles.items()}


ALL_PRIVILEGES = all_privileges()
SPECIAL_ROLES = special_roles()
