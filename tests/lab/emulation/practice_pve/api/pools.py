# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/pools: groups of guests and storages."""

from __future__ import annotations

from practice_pve.access import permissions, user_config
from practice_pve.guests import pools
from practice_pve.guests.store import guest_list
from practice_pve.rest import AnyUser, ApiError, Call, Check, api_method
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import Array, Boolean, Object, Parameter, Text
from practice_pve.storage.definitions import load_storages

_POOL = Text(format="pve-poolid")
_ALLOCATE = Check("perm", "/pool/{poolid}", ["Pool.Allocate"])
_CHANGES: dict[str, Parameter] = {
    "poolid": _POOL,
    "comment": Text(optional=True),
    "vms": Text(optional=True, format="pve-vmid-list"),
    "storage": Text(optional=True, format="pve-storage-id-list"),
    "allow-move": Boolean(optional=True, default=0),
    "delete": Boolean(optional=True, default=0),
}


def _members(pool: user_config.Pool, kind: str | None) -> list[dict]:
    guests = guest_list()
    found: list[dict] = []
    for guest_id in sorted(pool.vms):
        entry = guests.get(guest_id)
        if entry and kind in (None, entry["type"]):
            found.append(
                {"id": f"{entry['type']}/{guest_id}", "vmid": guest_id, "node": entry["node"], "type": entry["type"]}
            )
    if kind in (None, "storage"):
        found += [{"id": f"storage/{name}", "storage": name, "type": "storage"} for name in sorted(pool.storage)]
    return found


@api_method(
    "GET", "/pools", permissions=AnyUser(), child_link="poolid",
    returns=Array(items=Object(properties={"poolid": Text(), "comment": Text(optional=True)})),
    parameters={
        "poolid": Text(optional=True, format="pve-poolid"),
        "type": Text(optional=True, enum=("qemu", "lxc", "storage"), requires="poolid"),
    },
)  # fmt: skip
def list_pools(call: Call) -> list[dict]:
    """All pools the user may see, or one with its members."""
    config, wanted = user_config.load(), call.params.get("poolid")
    if wanted is not None:
        permissions.require(call.user or "", f"/pool/{wanted}", ["Pool.Audit"])
        if wanted not in config.pools:
            raise ApiError(f"pool '{wanted}' does not exist")
    entries = []
    for name in [wanted] if wanted else sorted(config.pools):
        if not permissions.has(call.user or "", f"/pool/{name}", ["Pool.Audit"]):
            continue
        entry: dict = {"poolid": name}
        if config.pools[name].comment:
            entry["comment"] = config.pools[name].comment
        if wanted:
            entry["members"] = _members(config.pools[name], call.params.get("type"))
        entries.append(entry)
    return entries


@api_method(
    "GET", "/pools/{poolid:.+}", permissions=Check("perm", "/pool/{poolid}", ["Pool.Audit"]), returns=Object(),
    parameters={"poolid": _POOL, "type": Text(optional=True, enum=("qemu", "lxc", "storage"))},
)  # fmt: skip
def read_pool(call: Call) -> dict:
    """One pool with its members."""
    config, name = user_config.load(), call.params["poolid"]
    if name not in config.pools:
        raise ApiError(f"pool '{name}' does not exist")
    result: dict = {"members": _members(config.pools[name], call.params.get("type"))}
    if config.pools[name].comment:
        result["comment"] = config.pools[name].comment
    return result


@api_method(
    "POST", "/pools", permissions=_ALLOCATE, protected=True,
    parameters={"poolid": _POOL, "comment": Text(optional=True)},
)  # fmt: skip
def create_pool(call: Call) -> None:
    """Make an empty pool."""
    name = call.params["poolid"]

    def create(config: user_config.UserConfig) -> None:
        if name in config.pools:
            raise ApiError(f"pool '{name}' already exists")
        parent = name.rpartition("/")[0]
        if parent and parent not in config.pools:
            raise ApiError(f"parent '{parent}' of pool '{name}' does not exist")
        config.pools[name] = user_config.Pool(comment=call.params.get("comment", ""))

    pools.change(create, "create pool failed")


def _update(call: Call) -> None:
    params = call.params
    name, delete = params["poolid"], bool(params.get("delete"))
    guest_ids = [int(word) for word in split_list(params.get("vms", ""))]
    storages = split_list(params.get("storage", ""))

    def update(config: user_config.UserConfig) -> None:
        if name not in config.pools:
            raise ApiError(f"pool '{name}' does not exist")
        pool = config.pools[name]
        if "comment" in params:
            pool.comment = params["comment"]
        for guest_id in guest_ids:
            if delete:
                if guest_id not in pool.vms:
                    raise ApiError(f"VM {guest_id} is not a pool member")
                pool.vms.discard(guest_id)
                continue
            if guest_id in pool.vms:
                raise ApiError(f"VM {guest_id} is already a pool member")
            other = config.pool_of(guest_id)
            if other and not params.get("allow-move"):
                raise ApiError(f"VM {guest_id} belongs already to pool '{other}' and 'allow-move' is not set")
            if other:
                config.pools[other].vms.discard(guest_id)
            pool.vms.add(guest_id)
        for storage in storages:
            if delete:
                if storage not in pool.storage:
                    raise ApiError(f"Storage '{storage}' is not a pool member")
                pool.storage.discard(storage)
            elif storage in pool.storage:
                raise ApiError(f"Storage '{storage}' is already a pool member")
            else:
                pool.storage.add(storage)

    pools.change(update, "update pools failed")


@api_method("PUT", "/pools", permissions=_ALLOCATE, protected=True, parameters=_CHANGES)
def update_pool(call: Call) -> None:
    """Change members or comment."""
    _update(call)


@api_method("PUT", "/pools/{poolid:.+}", permissions=_ALLOCATE, protected=True, parameters=_CHANGES)
def update_pool_by_path(call: Call) -> None:
    """Change members or comment."""
    _update(call)


def _delete(call: Call) -> None:
    name = call.params["poolid"]

    def delete(config: user_config.UserConfig) -> None:
        if name not in config.pools:
            raise ApiError(f"pool '{name}' does not exist")
        pool = config.pools[name]
        guests, storages = guest_list(), load_storages().storages
        contained = [
            *(f"pool '{other}'" for other in sorted(config.pools) if other.startswith(f"{name}/")),
            *(f"VM {guest_id}" for guest_id in sorted(pool.vms, key=str) if guest_id in guests),
            *(f"storage '{storage}'" for storage in sorted(pool.storage) if storage in storages),
        ]
        if contained:
            raise ApiError(f"pool '{name}' is not empty (contains {contained[0]})")
        del config.pools[name]

    pools.change(delete, "delete pool failed")


@api_method("DELETE", "/pools", permissions=_ALLOCATE, protected=True, parameters={"poolid": _POOL})
def delete_pool(call: Call) -> None:
    """Remove an empty pool."""
    _delete(call)


@api_method("DELETE", "/pools/{poolid:.+}", permissions=_ALLOCATE, protected=True, parameters={"poolid": _POOL})
def delete_pool_by_path(call: Call) -> None:
    """Remove an empty pool."""
    _delete(call)
