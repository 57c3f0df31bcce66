# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}: monitor, sendkey, feature."""

from __future__ import annotations

from practice_pve.api.qemu import AUDIT, FLAG, GUEST
from practice_pve.guests import machine
from practice_pve.guests.drives import drives_of
from practice_pve.guests.permissions import ROOT
from practice_pve.guests.store import QEMU
from practice_pve.rest import ApiError, Call, Check, ParameterErrors, api_method
from practice_pve.rest.parameters import SNAPSHOT_NAME, Object, Text, optional
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/monitor", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["Sys.Audit", "Sys.Modify"], "any", 1),
    parameters={**GUEST, "command": Text()},
)  # fmt: skip
def monitor(call: Call) -> str:
    """One question to QEMU's monitor."""
    guest_id, command = call.params["vmid"], call.params["command"].strip()
    QEMU.load(guest_id)
    if not machine.is_running(guest_id):
        return f"ERROR: VM {guest_id} not running\n"
    return machine.monitor(guest_id, command)


@api_method(
    "PUT", "/nodes/{node}/qemu/{vmid}/sendkey", protected=True, proxyto="node",
    permissions=Check("perm", "/vms/{vmid}", ["VM.Console"]), parameters={**GUEST, "key": Text(), "skiplock": FLAG},
)  # fmt: skip
def send_key(call: Call) -> None:
    """Press a key; nobody sees it here."""
    guest_id = call.params["vmid"]
    if call.params.get("skiplock") and call.user != ROOT:
        raise ParameterErrors({"skiplock": "Only root may use this option."})
    QEMU.load(guest_id)
    if not machine.is_running(guest_id):
        raise ApiError(f"VM {guest_id} not running")


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/feature", permissions=AUDIT, protected=True, proxyto="node", returns=Object(),
    parameters={**GUEST, "feature": Text(enum=("snapshot", "clone", "copy")), "snapname": optional(SNAPSHOT_NAME)},
)  # fmt: skip
def feature(call: Call) -> dict:
    """Whether all disks allow snapshots, linked clones or copies."""
    config, storages = QEMU.load(call.params["vmid"]), load_storages()
    wanted = call.params["feature"]
    possible = True
    for drive in drives_of(config.values):
        if drive.is_cdrom or drive.storage is None:
            continue
        _storage, volume = volumes.split(storages, drive.file)
        if wanted == "snapshot":
            possible = possible and volume.format == "qcow2"
        elif wanted == "clone":
            possible = possible and volume.is_base
    return {"hasFeature": int(possible), "nodes": [call.node]}
