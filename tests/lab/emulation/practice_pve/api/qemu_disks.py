# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}: resize, move_disk, template."""

from __future__ import annotations

from practice_pve.api.qemu import DIGEST, FLAG, GUEST
from practice_pve.guests import disk_work, permissions
from practice_pve.guests.drives import DRIVE_NAMES
from practice_pve.guests.tables.drives import DRIVES_PER_BUS
from practice_pve.rest import Call, Check, ParameterErrors, api_method, run_worker
from practice_pve.rest.parameters import STORAGE_ID, VMID, Boolean, Integer, Text, optional

# PVE lists the buses in this order, efidisk0 and tpmstate0 last.
_NAMES = tuple(f"{bus}{index}" for bus in ("ide", "scsi", "virtio", "sata") for index in range(DRIVES_PER_BUS[bus]))
_RESIZABLE = (*_NAMES, "efidisk0", "tpmstate0")
_UNUSED = tuple(f"unused{index}" for index in range(256))
_CONFIG_DISK = Check("perm", "/vms/{vmid}", ["VM.Config.Disk"])


@api_method(
    "PUT", "/nodes/{node}/qemu/{vmid}/resize", permissions=_CONFIG_DISK, protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        "skiplock": FLAG,
        "disk": Text(enum=_RESIZABLE),
        "size": Text(pattern=r"\+?\d+(\.\d+)?[KMGT]?"),
        "digest": DIGEST,
    },
)  # fmt: skip
def resize(call: Call) -> str:
    """Grow a disk in a worker; nothing is checked before."""
    params = call.params
    skip_lock = bool(params.get("skiplock"))
    if skip_lock and call.user != permissions.ROOT:
        raise ParameterErrors({"skiplock": "Only root may use this option."})

    def work(_upid: str) -> None:
        disk_work.resize_disk(params["vmid"], params["disk"], params["size"], params.get("digest"), skip_lock=skip_lock)

    return run_worker(call, "resize", params["vmid"], work)


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/move_disk", permissions=_CONFIG_DISK, protected=True, proxyto="node",
    returns=Text(),
    parameters={
        **GUEST,
        "disk": Text(enum=(*DRIVE_NAMES, *_UNUSED)),
        "storage": optional(STORAGE_ID),
        "format": Text(optional=True, enum=("raw", "qcow2", "vmdk")),
        "delete": Boolean(optional=True, default=0),
        "digest": DIGEST,
        "bwlimit": Integer(optional=True, minimum=0),
        "target-vmid": optional(VMID),
        "target-disk": Text(optional=True, enum=(*DRIVE_NAMES, *_UNUSED)),
        "target-digest": DIGEST,
    },
)  # fmt: skip
def move(call: Call) -> str:
    """Copy a disk to another storage or format, or give it to another machine."""
    params = call.params
    guest_id, storage, target = params["vmid"], params.get("storage"), params.get("target-vmid")
    if target and storage:
        message = "either set 'storage' or 'target-vmid', but not both"
        raise ParameterErrors({"target-vmid": message, "storage": message})
    if target:
        if target == guest_id:
            raise ParameterErrors({"target-vmid": "must be different than source VMID to reassign disk"})
        permissions.require(call.user, target, ["VM.Config.Disk"])
        job = disk_work.Reassignment(
            guest_id, params["disk"], target, params.get("target-disk", params["disk"]), params.get("digest"),
            params.get("target-digest"),
        )  # fmt: skip
        disk_work.check_reassignment(job)
        worker_id = f"{guest_id}-{job.disk}>{target}-{job.target_disk}"
        return run_worker(call, "qmmove", worker_id, lambda _upid: disk_work.reassign_disk(job))
    if not storage:
        message = "both 'storage' and 'target-vmid' missing, either needs to be set"
        raise ParameterErrors({"target-vmid": message, "storage": message})
    permissions.assert_may_use_storages(call.user, [storage])
    wanted = disk_work.Move(
        guest_id, params["disk"], storage, params.get("format"), bool(params.get("delete")), params.get("digest")
    )
    disk_work.check_move(wanted)
    return run_worker(call, "qmmove", guest_id, lambda _upid: disk_work.move_disk(wanted))


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/template", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Allocate"]),
    parameters={**GUEST, "disk": Text(optional=True, enum=_RESIZABLE)},
)  # fmt: skip
def template(call: Call) -> str:
    """Turn the machine into a template."""
    guest_id, disk = call.params["vmid"], call.params.get("disk")
    disk_work.check_template(guest_id, disk)
    return run_worker(call, "qmtemplate", guest_id, lambda _upid: disk_work.make_template(guest_id, disk))
