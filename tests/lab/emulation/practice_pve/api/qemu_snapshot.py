# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/snapshot."""

from __future__ import annotations

from practice_pve.api.qemu import AUDIT, FLAG, GUEST
from practice_pve.guests import snapshots
from practice_pve.guests.store import QEMU
from practice_pve.rest import AnyUser, ApiError, Call, Check, api_method, run_worker
from practice_pve.rest.parameters import SNAPSHOT_NAME, Array, Boolean, Object, Text

_SNAPSHOT = {**GUEST, "snapname": SNAPSHOT_NAME}
_TAKE = Check("perm", "/vms/{vmid}", ["VM.Snapshot"])


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/snapshot", parameters=GUEST, permissions=AUDIT, protected=True, proxyto="node",
    child_link="name", returns=Array(items=Object(properties={"name": Text()})),
)  # fmt: skip
def list_all(call: Call) -> list[dict]:
    """All snapshots."""
    return snapshots.list_snapshots(call.params["vmid"])


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/snapshot", permissions=_TAKE, protected=True, proxyto="node", returns=Text(),
    parameters={**_SNAPSHOT, "vmstate": FLAG, "description": Text(optional=True)},
)  # fmt: skip
def take(call: Call) -> str:
    """Take a snapshot in a worker."""
    guest_id, name = call.params["vmid"], call.params["snapname"]
    if name in ("current", "pending"):
        raise ApiError(f"unable to use snapshot name '{name}' (reserved name)")
    with_state = bool(call.params.get("vmstate"))

    def work(_upid: str) -> None:
        snapshots.take_snapshot(guest_id, name, call.params.get("description"), with_state=with_state)

    return run_worker(call, "qmsnapshot", guest_id, work)


@api_method(
    "GET",
    "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}",
    parameters=_SNAPSHOT,
    permissions=AnyUser(),
    child_link="cmd",
)
def list_parts(_call: Call) -> list[dict]:
    """The sub-directories."""
    return [{"cmd": "rollback"}, {"cmd": "config"}]


@api_method(
    "DELETE", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}", permissions=_TAKE, protected=True, proxyto="node",
    returns=Text(), parameters={**_SNAPSHOT, "force": FLAG},
)  # fmt: skip
def delete(call: Call) -> str:
    """Forget a snapshot in a worker."""
    guest_id, name = call.params["vmid"], call.params["snapname"]
    return run_worker(call, "qmdelsnapshot", guest_id, lambda _upid: snapshots.delete_snapshot(guest_id, name))


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config", proxyto="node", returns=Object(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Snapshot", "VM.Snapshot.Rollback", "VM.Audit"], "any", 1),
    parameters=_SNAPSHOT,
)  # fmt: skip
def read_config(call: Call) -> dict:
    """A snapshot's configuration."""
    return snapshots.find_snapshot(QEMU.load(call.params["vmid"]), call.params["snapname"])


@api_method(
    "PUT", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config", permissions=_TAKE, protected=True, proxyto="node",
    parameters={**_SNAPSHOT, "description": Text(optional=True)},
)  # fmt: skip
def update_config(call: Call) -> None:
    """Change a snapshot's description."""
    guest_id = call.params["vmid"]
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        values = snapshots.find_snapshot(config, call.params["snapname"])
        if "description" in call.params:
            values["description"] = call.params["description"]
        QEMU.save(guest_id, config)


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Snapshot", "VM.Snapshot.Rollback"], "any", 1),
    parameters={**_SNAPSHOT, "start": Boolean(optional=True, default=0)},
)  # fmt: skip
def roll_back(call: Call) -> str:
    """Return to a snapshot in a worker."""
    guest_id, name, start = call.params["vmid"], call.params["snapname"], bool(call.params.get("start"))
    return run_worker(call, "qmrollback", guest_id, lambda _upid: snapshots.roll_back(guest_id, name, start=start))
