# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/clone."""

from __future__ import annotations

from practice_pve.api.qemu import FLAG, GUEST
from practice_pve.guests import machine, permissions
from practice_pve.guests.clone import Clone, check_clone, clone_machine
from practice_pve.guests.store import QEMU
from practice_pve.rest import Call, Check, NotEmulated, api_method, run_worker
from practice_pve.rest.parameters import NODE, SNAPSHOT_NAME, STORAGE_ID, VMID, Integer, Text, optional


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/clone", protected=True, proxyto="node", returns=Text(),
    permissions=Check(
        "and",
        ["perm", "/vms/{vmid}", ["VM.Clone"]],
        [
            "or",
            ["perm", "/vms/{newid}", ["VM.Allocate"]],
            ["perm", "/pool/{pool}", ["VM.Allocate"], "require_param", "pool"],
        ],
    ),
    parameters={
        **GUEST,
        "newid": VMID,
        "name": Text(optional=True, format="dns-name"),
        "description": Text(optional=True),
        "pool": Text(optional=True, format="pve-poolid"),
        "snapname": optional(SNAPSHOT_NAME),
        "storage": optional(STORAGE_ID),
        "format": Text(optional=True, enum=("raw", "qcow2", "vmdk")),
        "full": FLAG,
        "target": optional(NODE),
        "bwlimit": Integer(optional=True, minimum=0),
    },
)  # fmt: skip
def clone(call: Call) -> str:
    """Copy the machine under a new id in a worker."""
    params = call.params
    machine.assert_configured(params["vmid"])
    if params.get("target") not in (None, call.node, "localhost"):
        raise NotEmulated("cloning to another node")
    wanted = Clone(
        params["vmid"], params["newid"], params.get("name"), params.get("description"), params.get("pool"),
        params.get("snapname"), params.get("storage"), params.get("format"), params.get("full"),
    )  # fmt: skip
    check_clone(wanted)
    permissions.assert_may_use_bridges(call.user, QEMU.load(wanted.guest_id).values)
    return run_worker(call, "qmclone", wanted.guest_id, lambda _upid: clone_machine(wanted))
