# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/lxc/{vmid}: clone, template, resize, move_volume."""

from __future__ import annotations

from practice_pve.api.lxc import FLAG, GUEST
from practice_pve.guests import container_copies, permissions
from practice_pve.guests.containers import resize_container
from practice_pve.guests.store import LXC
from practice_pve.guests.tables.container_options import MOUNT_NAMES
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, ApiError, Call, Check, NotEmulated, api_method, run_worker
from practice_pve.rest.parameters import SNAPSHOT_NAME, STORAGE_ID, VMID, Boolean, Parameter, Text, optional

_DIGEST = Text(optional=True, max_length=40)
_BANDWIDTH = Parameter(type="number", optional=True, minimum=0)
_UNUSED = tuple(f"unused{index}" for index in range(256))


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/clone", permissions=AnyUser(), protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        "newid": VMID,
        "hostname": Text(optional=True, format="dns-name"),
        "description": Text(optional=True),
        "pool": Text(optional=True, format="pve-poolid"),
        "snapname": optional(SNAPSHOT_NAME),
        "storage": optional(STORAGE_ID),
        "full": FLAG,
        "target": Text(optional=True, format="pve-node"),
        "bwlimit": _BANDWIDTH,
    },
)  # fmt: skip
def clone(call: Call) -> str:
    """Copy a container."""
    params = call.params
    permissions.require(call.user, params["vmid"], ["VM.Clone"])
    permissions.assert_may_create(call.user, params["newid"], params.get("pool"))
    client.assert_quorum()
    if params.get("target", call.node) != call.node:
        raise NotEmulated("a container's clone on another node")
    wanted = container_copies.Clone(
        params["vmid"], params["newid"], params.get("hostname"), params.get("description"), params.get("pool"),
        params.get("snapname"), params.get("storage"), params.get("full"),
    )  # fmt: skip
    container_copies.check_clone(wanted)
    permissions.assert_may_use_bridges(call.user, LXC.load(wanted.guest_id).values)
    return run_worker(call, "vzclone", wanted.guest_id, lambda _upid: container_copies.clone_container(wanted))


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/template", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Allocate"]), parameters=GUEST,
)  # fmt: skip
def template(call: Call) -> str:
    """Turn the container into a template."""
    guest_id = call.params["vmid"]
    container_copies.check_template(guest_id)
    return run_worker(call, "vztemplate", guest_id, lambda _upid: container_copies.make_template(guest_id))


@api_method(
    "PUT", "/nodes/{node}/lxc/{vmid}/resize", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Config.Disk"], "any"),
    parameters={
        **GUEST,
        "disk": Text(enum=MOUNT_NAMES),
        "size": Text(pattern=r"\+?\d+(\.\d+)?[KMGT]?"),
        "digest": _DIGEST,
    },
)  # fmt: skip
def resize(call: Call) -> str:
    """Grow a volume in a worker."""
    params = call.params

    def work(_upid: str) -> None:
        resize_container(params["vmid"], params["disk"], params["size"], params.get("digest"))

    return run_worker(call, "resize", params["vmid"], work)


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/move_volume", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Config.Disk"]),
    parameters={
        **GUEST,
        "target-vmid": optional(VMID),
        "volume": Text(enum=(*MOUNT_NAMES, *_UNUSED)),
        "storage": optional(STORAGE_ID),
        "delete": Boolean(optional=True, default=0),
        "digest": _DIGEST,
        "bwlimit": _BANDWIDTH,
        "target-volume": Text(optional=True, enum=(*MOUNT_NAMES, *_UNUSED)),
        "target-digest": _DIGEST,
    },
)  # fmt: skip
def move_volume(call: Call) -> str:
    """Copy a volume to another storage."""
    params = call.params
    guest_id, storage = params["vmid"], params.get("storage")
    if params.get("target-vmid") and storage:
        raise ApiError("either set storage or target-vmid, but not both")
    if not storage:
        raise NotEmulated("giving a container's volume to another container")
    permissions.assert_may_use_storages(call.user, [storage])
    container_copies.check_move(guest_id, params["volume"])

    def work(_upid: str) -> None:
        container_copies.move_volume(guest_id, params["volume"], storage, delete=bool(params.get("delete")))

    return run_worker(call, "move_volume", guest_id, work)
