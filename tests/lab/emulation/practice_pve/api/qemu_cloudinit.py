# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/cloudinit."""

from __future__ import annotations

from practice_pve.api.qemu import AUDIT, GUEST
from practice_pve.guests import cloudinit, cloudinit_drive
from practice_pve.guests.store import QEMU
from practice_pve.rest import Call, Check, api_method
from practice_pve.rest.parameters import Text


@api_method("GET", "/nodes/{node}/qemu/{vmid}/cloudinit", parameters=GUEST, permissions=AUDIT, proxyto="node")
def read_pending(call: Call) -> list[dict]:
    """What the guest has been told and what it will be told."""
    return cloudinit.pending_view(QEMU.load(call.params["vmid"]))


@api_method(
    "PUT", "/nodes/{node}/qemu/{vmid}/cloudinit", parameters=GUEST, protected=True, proxyto="node",
    permissions=Check("perm", "/vms/{vmid}", ["VM.Config.Cloudinit"]),
)  # fmt: skip
def regenerate(call: Call) -> None:
    """Write the drive again; a machine without one is fine."""
    guest_id = call.params["vmid"]
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        if cloudinit_drive.write(guest_id, config):
            QEMU.save(guest_id, config)


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/cloudinit/dump", permissions=AUDIT, proxyto="node", returns=Text(),
    parameters={**GUEST, "type": Text(enum=("user", "network", "meta"))},
)  # fmt: skip
def dump(call: Call) -> str:
    """What PVE generates."""
    guest_id = call.params["vmid"]
    return cloudinit.dump(QEMU.load(guest_id), guest_id, call.params["type"])
