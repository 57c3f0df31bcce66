# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/lxc: containers as configurations and volumes; a container's system is not emulated."""

from __future__ import annotations

from practice_pve.guests import container_formats, container_process, containers, permissions  # noqa: F401 - the formats register themselves
from practice_pve.guests import formats as guest_formats  # noqa: F401 - registers pve-volume-id
from practice_pve.guests.pending import apply_to_view, pending_view
from practice_pve.guests.status import list_containers
from practice_pve.guests.store import LXC, assert_free
from practice_pve.guests.tables.container_options import CALL_OPTIONS
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, ApiError, Call, Check, NotEmulated, ParameterErrors, api_method, run_worker
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import (
    NODE,
    SNAPSHOT_NAME,
    STORAGE_ID,
    VMID,
    Array,
    Boolean,
    Object,
    Parameter,
    Text,
    optional,
)

GUEST: dict[str, Parameter] = {"node": NODE, "vmid": VMID}
FLAG = Boolean(optional=True)
AUDIT = Check("perm", "/vms/{vmid}", ["VM.Audit"])


@api_method(
    "GET", "/nodes/{node}/lxc", parameters={"node": NODE}, permissions=AnyUser(), protected=True, proxyto="node",
    child_link="vmid", returns=Array(items=Object(properties={"vmid": VMID})),
)  # fmt: skip
def list_guests(call: Call) -> list[dict]:
    """The node's containers that the user may see."""
    return [entry for entry in list_containers() if permissions.may_see(call.user, entry["vmid"])]


@api_method(
    "POST", "/nodes/{node}/lxc", permissions=AnyUser(), protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        **CALL_OPTIONS,
        "ostemplate": Text(max_length=255),
        "password": Text(optional=True, min_length=5),
        "storage": optional(STORAGE_ID),
        "force": FLAG,
        "restore": FLAG,
        "unique": Boolean(optional=True, requires="restore"),
        "pool": Text(optional=True, format="pve-poolid"),
        "ignore-unpack-errors": FLAG,
        "ssh-public-keys": Text(optional=True),
        "start": FLAG,
        "ha-managed": FLAG,
        "bwlimit": Parameter(type="number", optional=True, minimum=0),
    },
)  # fmt: skip
def create_guest(call: Call) -> str:
    """Make a container from a template."""
    params = call.params
    guest_id = params["vmid"]
    client.assert_quorum()
    permissions.assert_may_create(call.user, guest_id, params.get("pool"))
    permissions.assert_may_use_bridges(call.user, params)
    if params.get("restore"):
        raise NotEmulated("restoring a container")
    values = {
        key: int(value) if isinstance(value, bool) else value for key, value in params.items() if key in CALL_OPTIONS
    }
    values.setdefault("unprivileged", 1)  # only a restore has another default
    try:
        assert_free(guest_id)
    except ApiError as error:
        raise ApiError(error.message, exit_code=2) from error
    LXC.create_locked(guest_id)
    new = containers.NewContainer(
        guest_id, values, params["ostemplate"], params.get("storage", "local"), params.get("pool")
    )
    return run_worker(call, "vzcreate", guest_id, lambda _upid: containers.create_container(new))


@api_method(
    "GET", "/nodes/{node}/lxc/{vmid}", parameters=GUEST, permissions=AnyUser(), proxyto="node", child_link="subdir"
)
def list_parts(_call: Call) -> list[dict]:
    """The sub-directories of a container."""
    names = (
        "config",
        "pending",
        "status",
        "snapshot",
        "migrate",
        "resize",
        "move_volume",
        "clone",
        "template",
        "feature",
    )
    return [{"subdir": name} for name in names]


@api_method(
    "GET", "/nodes/{node}/lxc/{vmid}/config", permissions=AUDIT, proxyto="node", returns=Object(),
    parameters={**GUEST, "current": Boolean(optional=True, default=0), "snapshot": optional(SNAPSHOT_NAME)},
)  # fmt: skip
def read_config(call: Call) -> dict:
    """The configuration."""
    config = LXC.load(call.params["vmid"])
    snapshot = call.params.get("snapshot")
    if snapshot:
        if snapshot not in config.snapshots:
            raise ApiError(f"snapshot '{snapshot}' does not exist")
        return {**config.snapshots[snapshot], "digest": config.digest}
    values = dict(config.values) if call.params.get("current") else apply_to_view(config)
    if config.raw:
        values["lxc"] = [list(pair) for pair in config.raw]
    return {**values, "digest": config.digest}


@api_method("GET", "/nodes/{node}/lxc/{vmid}/pending", parameters=GUEST, permissions=AUDIT, proxyto="node")
def read_pending(call: Call) -> list[dict]:
    """Key by key the current and the pending value."""
    return pending_view(LXC.load(call.params["vmid"]))


@api_method(
    "PUT", "/nodes/{node}/lxc/{vmid}/config", protected=True, proxyto="node",
    permissions=Check(
        "perm",
        "/vms/{vmid}",
        ["VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options"],
        "any",
        1,
    ),
    parameters={
        **GUEST,
        **CALL_OPTIONS,
        "delete": Text(optional=True, format="pve-configid-list"),
        "revert": Text(optional=True, format="pve-configid-list"),
        "digest": Text(optional=True, max_length=40),
    },
)  # fmt: skip
def update_config(call: Call) -> None:
    """Change the configuration of a container."""
    params = dict(call.params)
    guest_id = params.pop("vmid")
    params.pop("node", None)
    digest = params.pop("digest", None)
    delete, revert = split_list(params.pop("delete", "")), split_list(params.pop("revert", ""))
    if not delete and not revert and not params:
        raise ApiError("no options specified")
    for key in delete:
        if key not in CALL_OPTIONS:
            raise ParameterErrors({"delete": f"unknown option '{key}'"})
    values = {key: int(value) if isinstance(value, bool) else value for key, value in params.items()}
    permissions.assert_may_use_bridges(call.user, values)
    containers.update_container(guest_id, values, delete, revert, digest)


@api_method(
    "DELETE", "/nodes/{node}/lxc/{vmid}", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Allocate"]),
    parameters={**GUEST, "force": FLAG, "purge": FLAG, "destroy-unreferenced-disks": FLAG},
)  # fmt: skip
def destroy_guest(call: Call) -> str:
    """Remove a container with its volumes."""
    guest_id, purge = call.params["vmid"], bool(call.params.get("purge"))
    containers.assert_removable(guest_id, purge=purge)
    is_running = container_process.pid_of(guest_id) is not None
    if is_running and not call.params.get("force"):
        raise ApiError(f"unable to destroy CT {guest_id} - container is running")

    def work(_upid: str) -> None:
        if is_running:
            container_process.stop(guest_id)
        containers.destroy_container(guest_id, purge=purge)

    return run_worker(call, "vzdestroy", guest_id, work)
