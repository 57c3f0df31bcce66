# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which privilege is missing where Proxmox VE says only "Permission check failed"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .classify import needs
from .errors import Denied


@dataclass(frozen=True)
class _Need:
    method: str
    path: re.Pattern[str]
    privileges: tuple[str, ...]
    object_path: str  # {0} is the first group of the path, {vmid} a parameter
    before_9: tuple[str, ...] = ()  # where the release before 9 calls it otherwise


def _need(method: str, path: str, privileges: str, object_path: str, before_9: str = "") -> _Need:
    old = tuple(before_9.split("|")) if before_9 else ()
    return _Need(method, re.compile(path), tuple(privileges.split("|")), object_path, old)


_GUEST = r"/nodes/[^/]+/(?:qemu|lxc)/(\d+)"
_NEEDS = (
    _need("POST", r"/nodes/[^/]+/(?:qemu|lxc)", "VM.Allocate", "/vms/{vmid} or the guest's pool"),
    _need("POST", _GUEST + "/clone", "VM.Allocate", "/vms/{newid} or the new guest's pool"),
    _need("DELETE", _GUEST, "VM.Allocate", "/vms/{0}"),
    _need("POST", _GUEST + "/template", "VM.Allocate", "/vms/{0}"),
    _need("POST", _GUEST + r"/status/\w+", "VM.PowerMgmt", "/vms/{0}"),
    _need("GET", _GUEST + r"/(?:config|pending|status/current)", "VM.Audit", "/vms/{0}"),
    _need("POST|PUT", _GUEST + "/config", "VM.Config.*", "/vms/{0}"),
    _need("PUT", _GUEST + "/resize", "VM.Config.Disk", "/vms/{0}"),
    _need("POST", _GUEST + "/move_disk", "VM.Config.Disk", "/vms/{0}"),
    _need("POST", _GUEST + "/migrate", "VM.Migrate", "/vms/{0}"),
    _need("POST", _GUEST + "/monitor", "Sys.Audit", "/vms/{0}", "VM.Monitor"),
    _need("POST", _GUEST + "/agent/(?:exec|set-user-password)", "VM.GuestAgent.Unrestricted", "/vms/{0}", "VM.Monitor"),
    _need("GET", _GUEST + "/agent/exec-status", "VM.GuestAgent.Unrestricted", "/vms/{0}", "VM.Monitor"),
    _need("GET", _GUEST + "/agent/file-read", "VM.GuestAgent.FileRead", "/vms/{0}", "VM.Monitor"),
    _need("POST", _GUEST + "/agent/file-write", "VM.GuestAgent.FileWrite", "/vms/{0}", "VM.Monitor"),
    _need(
        "POST",
        _GUEST + "/agent/(?:fsfreeze-freeze|fsfreeze-thaw|fstrim)",
        "VM.GuestAgent.FileSystemMgmt",
        "/vms/{0}",
        "VM.Monitor",
    ),
    _need("POST", _GUEST + "/agent/(?:shutdown|suspend-.*)", "VM.PowerMgmt", "/vms/{0}", "VM.Monitor"),
    _need("GET|POST", _GUEST + "/agent/.*", "VM.GuestAgent.Audit", "/vms/{0}", "VM.Monitor"),
    _need("POST|DELETE", r"/pools(?:/.*)?", "Pool.Allocate", "/pool/{poolid}"),
    _need("POST|PUT|DELETE", r"/storage(?:/.*)?", "Datastore.Allocate", "/storage"),
    _need(
        "POST",
        r"/nodes/[^/]+/storage/([^/]+)/download-url",
        "Datastore.AllocateTemplate",
        "/storage/{0} (and Sys.AccessNetwork on /nodes)",
    ),
    _need("POST", r"/nodes/[^/]+/storage/([^/]+)/content", "Datastore.AllocateSpace", "/storage/{0}"),
    _need("GET", r"/nodes/[^/]+/storage/([^/]+)/.*", "Datastore.Audit", "/storage/{0}"),
    _need("POST|PUT|DELETE", r"/cluster/ha/.*", "Sys.Console", "/"),
    _need("PUT", r"/cluster/options", "Sys.Modify", "/"),
)


def name_missing_privilege(error: Denied, major: int, params: dict[str, object]) -> None:
    """Fill in what a bare 403 leaves out, for this major version of Proxmox VE."""
    for need in _NEEDS:
        match = need.path.fullmatch(error.path) if error.method in need.method.split("|") else None
        if match:
            error.privileges = need.before_9 if major < 9 and need.before_9 else need.privileges
            names = {
                "vmid": "VMID",
                "newid": "NEWID",
                "poolid": "POOL",
                **{key: str(value) for key, value in params.items()},
            }
            error.object_path = need.object_path.format(*match.groups(), **names)
            error.remedy = needs(error.privileges, error.object_path)
            return
