# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/migrate: what migration would need, its refusals, and moving a stopped machine."""

from __future__ import annotations

from practice_pve.api.cluster_state import node_list
from practice_pve.api.qemu import FLAG, GUEST
from practice_pve.guests import machine
from practice_pve.guests.drives import drives_of
from practice_pve.guests.migrate import migrate_running, migrate_stopped
from practice_pve.guests.permissions import ROOT
from practice_pve.guests.store import QEMU
from practice_pve.ha import resources as ha_resources
from practice_pve.rest import ApiError, Call, Check, NotEmulated, ParameterErrors, api_method, run_worker
from practice_pve.rest.parameters import NODE, Integer, Object, Text, optional
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages

_MIGRATE = Check("perm", "/vms/{vmid}", ["VM.Migrate"])


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/migrate", permissions=_MIGRATE, protected=True, proxyto="node", returns=Object(),
    parameters={**GUEST, "target": optional(NODE)},
)  # fmt: skip
def preconditions(call: Call) -> dict:
    """Where the machine could go and what stands in the way."""
    guest_id = call.params["vmid"]
    config, storages = QEMU.load(guest_id), load_storages()
    running = machine.is_running(guest_id)
    others = [node for node in node_list() or {} if node != call.node]
    disks = []
    for drive in drives_of(config.values):
        if drive.storage is None or storages.find(drive.storage).is_shared:
            continue
        info = volumes.info_of(storages, drive.file)
        disks.append(
            {
                "cdrom": int(drive.is_cdrom),
                "drivename": drive.name,
                "is_attached": 1,
                "is_cloudinit": int(drive.is_cloud_init),
                "is_tpmstate": int(drive.name == "tpmstate0"),
                "is_unused": 0,
                "is_vmstate": 0,
                "replicate": int(bool(drive.options.get("replicate", True))),
                "shared": 0,
                "size": info.size if info else 0,
                "volid": drive.file,
            }
        )
    result: dict = {
        "running": int(running),
        "local_disks": disks,
        "local_resources": [],
        "mapped-resources": [],
        "mapped-resource-info": {},
        "has-dbus-vmstate": 1,
    }
    if not running:
        result.update({"allowed_nodes": others, "not_allowed_nodes": {node: {} for node in others}})
    return result


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/migrate", permissions=_MIGRATE, protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        "target": NODE,
        "online": FLAG,
        "force": FLAG,
        "migration_type": Text(optional=True, enum=("secure", "insecure")),
        "migration_network": Text(optional=True, format="CIDR"),
        "with-local-disks": FLAG,
        "with-conntrack-state": FLAG,
        "targetstorage": Text(optional=True),
        "bwlimit": Integer(optional=True, minimum=0),
    },
)  # fmt: skip
def migrate(call: Call) -> str:
    """Move the machine to another node."""
    params = call.params
    guest_id, target = params["vmid"], params["target"]
    members = node_list()
    if target != call.node and target not in (members or {}):
        raise ApiError(f"no such cluster node '{target}'")
    if target == call.node:
        raise ParameterErrors({"target": "target is local node."})
    if params.get("force") and call.user != ROOT:
        raise ParameterErrors({"force": "Only root may use this option."})
    config = QEMU.load(guest_id)
    QEMU.assert_unlocked(config)
    running = machine.is_running(guest_id)
    if running and not params.get("online"):
        raise ParameterErrors({"online": "Can't migrate running VM without --online"})
    if params.get("targetstorage"):
        raise NotEmulated("qm migrate --targetstorage")
    if ha_resources.is_managed(guest_id) and call.environment != "ha":

        def request(_upid: str) -> None:
            print(f"Requesting HA migration for VM {guest_id} to node {target}")
            ha_resources.queue_command(f"migrate vm:{guest_id} {target}")

        return run_worker(call, "hamigrate", guest_id, request)
    address = str((members or {})[target].get("ip", ""))
    if running:
        with_disks = bool(params.get("with-local-disks"))
        return run_worker(
            call, "qmigrate", guest_id, lambda _upid: migrate_running(guest_id, target, address, with_disks=with_disks)
        )
    return run_worker(call, "qmigrate", guest_id, lambda _upid: migrate_stopped(guest_id, target, address))
