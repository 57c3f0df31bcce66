# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cluster/resources and /cluster/nextid: what the whole cluster has, as far as its nodes have said."""

from __future__ import annotations

from practice_pve.access import permissions, user_config
from practice_pve.api.cluster_state import node_entry, node_list, node_names, number, published_figures
from practice_pve.guests.store import next_free_id
from practice_pve.ha.resources import load as load_ha_resources
from practice_pve.ha.status import read_manager_status
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, ApiError, Call, ParameterErrors, api_method
from practice_pve.rest.parameters import VMID, Array, Integer, Number, Object, Parameter, Text, optional
from practice_pve.storage.definitions import load_storages

_BYTES = Integer(optional=True, renderer="bytes")
COLUMNS: dict[str, Parameter] = {
    "id": Text(),
    "type": Text(),
    "cgroup-mode": Integer(optional=True),
    "content": Text(optional=True),
    "cpu": Number(optional=True, renderer="fraction_as_percentage"),
    "disk": _BYTES,
    "diskread": _BYTES,
    "diskwrite": _BYTES,
    "hastate": Text(optional=True),
    "level": Text(optional=True),
    "lock": Text(optional=True),
    "maxcpu": Number(optional=True),
    "maxdisk": _BYTES,
    "maxmem": _BYTES,
    "mem": _BYTES,
    "memhost": _BYTES,
    "name": Text(optional=True),
    "netin": _BYTES,
    "netout": _BYTES,
    "network": Text(optional=True),
    "network-type": Text(optional=True),
    "node": Text(optional=True),
    "plugintype": Text(optional=True),
    "pool": Text(optional=True),
    "shared": Integer(optional=True),
    "status": Text(optional=True),
    "storage": Text(optional=True),
    "tags": Text(optional=True),
    "template": Integer(optional=True),
    "uptime": Integer(optional=True, renderer="duration"),
    "vmid": Integer(optional=True),
}
# Fields of pvestatd's messages by position.
_GUEST_FIELDS = {
    "uptime": 0, "maxcpu": 5, "cpu": 6, "maxmem": 7, "mem": 8, "maxdisk": 9, "disk": 10, "netin": 11, "netout": 12,
    "diskread": 13, "diskwrite": 14, "memhost": 15,
}  # fmt: skip
Figures = dict[str, list[str]]


@api_method("GET", "/cluster/nextid", permissions=AnyUser(), parameters={"vmid": optional(VMID)}, returns=Text())
def next_id(call: Call) -> str:
    """The lowest free id, or the wanted one when it is free. Nothing is reserved."""
    wanted = call.params.get("vmid")
    found = next_free_id(wanted)
    if found is not None:
        return str(found)
    if wanted is not None:
        raise ParameterErrors({"vmid": f"VM {wanted} already exists"})
    raise ApiError("unable to get any free VMID in range [100, 1000000]")


_NODE_FOR_EVERYBODY = ("id", "node", "type", "status", "level", "cgroup-mode")


@api_method(
    "GET", "/cluster/resources", permissions=AnyUser(), returns=Array(items=Object(properties=COLUMNS)),
    parameters={"type": Text(optional=True, enum=("vm", "storage", "node", "sdn"))},
)  # fmt: skip
def resources(call: Call) -> list[dict]:
    """Pools, guests, nodes, storages and networks that the user may see."""
    wanted = call.params.get("type")
    user = call.user or ""
    figures = published_figures()
    entries: list[dict] = []
    users = user_config.load()
    if not wanted:
        entries += [
            {"id": f"/pool/{name}", "pool": name, "type": "pool"}
            for name in sorted(users.pools)
            if permissions.has(user, f"/pool/{name}", ["Pool.Audit"])
        ]
    if wanted in (None, "vm"):
        entries += [
            entry for entry in _guests(figures, users) if permissions.has(user, f"/vms/{entry['vmid']}", ["VM.Audit"])
        ]
    if wanted in (None, "node"):
        entries += [_node(entry, user) for entry in _nodes(figures)]
    if wanted in (None, "storage"):
        entries += [
            entry for entry in _storages(figures)
            if permissions.has(user, f"/storage/{entry['storage']}", ["Datastore.Audit"])
        ]  # fmt: skip
    if wanted in (None, "sdn"):
        entries += [
            entry for entry in _networks(figures)
            if permissions.has(user, f"/sdn/zones/{entry['network']}", ["SDN.Audit"])
        ]  # fmt: skip
    return entries


def _node(entry: dict, user: str) -> dict:
    """Everybody sees that a node is there; how much it has to do only who may look at it."""
    if permissions.has(user, f"/nodes/{entry['node']}", ["Sys.Audit"]):
        return entry
    return {name: value for name, value in entry.items() if name in _NODE_FOR_EVERYBODY}


def _pick(values: list[str], fields: dict[str, int]) -> dict:
    return {name: number(values[place]) if place < len(values) else 0 for name, place in fields.items()}


def _guests(figures: Figures, users: user_config.UserConfig) -> list[dict]:
    guests = client.guests().get("ids", {})
    properties = client.guest_properties(["lock", "tags"])
    services = read_manager_status().get("service_status", {})
    managed = load_ha_resources()[0]
    entries = []
    for guest_id in sorted(guests):
        data = guests[guest_id]
        entry: dict = {
            "id": f"{data['type']}/{guest_id}",
            "vmid": int(guest_id),
            "node": data["node"],
            "type": data["type"],
            "status": "unknown",
        }
        values = figures.get(f"pve-vm-9.0/{guest_id}")
        if values:
            entry.update(_pick(values, _GUEST_FIELDS))
            entry.update({"name": values[1], "status": values[2], "template": int(number(values[3]))})
        pool = users.pool_of(int(guest_id))
        if pool:
            entry["pool"] = pool
        entry.update(properties.get(guest_id, {}))
        sid = f"{'vm' if data['type'] == 'qemu' else 'ct'}:{guest_id}"
        if sid in services:
            entry["hastate"] = services[sid].get("state")
        elif sid in managed:
            entry["hastate"] = managed[sid].get("state", "started")
        entries.append(entry)
    return entries


def _nodes(figures: Figures) -> list[dict]:
    members = node_list()
    return [{**node_entry(node, members, figures), "cgroup-mode": 2} for node in node_names()]


def _storages(figures: Figures) -> list[dict]:
    entries = []
    for storage in load_storages().storages.values():
        for node in node_names():
            if storage.is_disabled or not storage.is_on_node(node):
                continue
            entry: dict = {
                "id": f"storage/{node}/{storage.name}",
                "storage": storage.name,
                "node": node,
                "type": "storage",
                "plugintype": storage.type,
                "status": "unknown",
                "shared": int(storage.is_shared),
                "content": ",".join(storage.content),
            }
            values = figures.get(f"pve-storage-9.0/{node}/{storage.name}")
            if values:
                entry.update(_pick(values, {"maxdisk": 1, "disk": 2}))
                entry["status"] = "available"
            entries.append(entry)
    return entries


def _networks(figures: Figures) -> list[dict]:
    """The one zone that every node has, once the node has said anything."""
    return [
        {
            "id": f"network/{node}/zone/localnetwork",
            "network": "localnetwork",
            "network-type": "zone",
            "node": node,
            "status": "ok",
            "type": "network",
        }
        for node in node_names()
        if f"pve-node-9.0/{node}" in figures
    ]
