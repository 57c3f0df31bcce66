# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/storage: definitions of storages for the whole cluster."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from practice_pve.access import permissions
from practice_pve.guests import formats as guest_formats  # noqa: F401 - registers pve-volume-id
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, ApiError, Call, Check, api_method
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import CONFIG_DIGEST, STORAGE_ID, Array, Object, Text
from practice_pve.rest.verification import perl_text
from practice_pve.storage import formats, volumes  # noqa: F401 - the formats register themselves
from practice_pve.storage.definitions import Storage, StorageList, load_storages, save_storages
from practice_pve.storage.tables import CREATE_ONLY, PROPERTIES, TYPES

_CHANGE = Check("perm", "/storage", ["Datastore.Allocate"])
_TYPE = Text(enum=tuple(sorted(TYPES)))
_PATH_CHARACTERS = re.compile(r"/[-/a-zA-Z0-9_.@]+")
_SECRETS = ("password", "encryption-key", "master-pubkey", "keyring")


@contextmanager
def _changing(failure: str) -> Iterator[StorageList]:
    """Hold the lock of storage.cfg, hand out the storages, prefix every error."""
    try:
        with client.cfs_lock("file-storage_cfg"):
            yield load_storages()
    except ApiError as error:
        raise ApiError(f"{failure}: {error.message}", exit_code=error.exit_code) from error


def _as_api(storage: Storage, digest: str) -> dict:
    values: dict = {key: value for key, value in storage.values.items() if key not in _SECRETS}
    values["content"] = ",".join(storage.content) or "none"
    for key in ("shared", "disable", "krbd", "sparse", "is_mountpoint"):
        if str(values.get(key, "")) in ("0", "1"):
            values[key] = int(values[key])
    return {"storage": storage.name, "type": storage.type, "digest": digest, **values}


@api_method(
    "GET", "/storage", parameters={"type": Text(optional=True, enum=tuple(sorted(TYPES)))}, permissions=AnyUser(),
    child_link="storage", returns=Array(items=Object(properties={"storage": Text()})),
)  # fmt: skip
def list_storages(call: Call) -> list[dict]:
    """All definitions the user may see."""
    storages = load_storages()
    wanted = call.params.get("type")
    return [
        _as_api(storage, storages.digest)
        for storage in storages.storages.values()
        if (not wanted or storage.type == wanted) and _may_see(call, storage.name)
    ]


def _may_see(call: Call, name: str) -> bool:
    return permissions.has(
        call.user or "", f"/storage/{name}", ["Datastore.Audit", "Datastore.AllocateSpace"], any_of=True
    )


@api_method(
    "GET", "/storage/{storage}", parameters={"storage": STORAGE_ID}, returns=Object(),
    permissions=Check("perm", "/storage/{storage}", ["Datastore.Allocate"]),
)  # fmt: skip
def read_storage(call: Call) -> dict:
    """One definition."""
    storages = load_storages()
    return _as_api(storages.find(call.params["storage"]), storages.digest)


@api_method(
    "POST", "/storage", permissions=_CHANGE, protected=True, returns=Object(),
    parameters={"type": _TYPE, "storage": STORAGE_ID, **PROPERTIES},
)  # fmt: skip
def create_storage(call: Call) -> dict:
    """Define a storage and try it on this node."""
    values = {key: _text(value) for key, value in call.params.items() if key not in ("type", "storage")}
    name, kind = call.params["storage"], call.params["type"]
    if not values.get("nodes"):
        values.pop("nodes", None)
    storage = Storage(name, kind, values)
    _complete(storage)
    _assert_options(storage)
    with _changing("create storage failed") as storages:
        if name in storages.storages:
            raise ApiError(f"storage ID '{name}' already defined")
        if storage.is_on_node(call.node) and not storage.is_disabled:
            volumes.activate(storage)
        _warn_of_mkdir(storage)
        storages.storages[name] = storage
        save_storages(storages)
    return {"storage": name, "type": kind}


def _text(value: object) -> str:
    return perl_text(value)


def _complete(storage: Storage) -> None:
    """What a type knows by itself: mount points of network storages."""
    if storage.type in ("nfs", "cifs", "cephfs"):
        storage.values.setdefault("path", f"/mnt/pve/{storage.name}")
    content = storage.values.get("content")
    if content is not None:
        unsupported = [word for word in split_list(content) if word not in storage.kind.content]
        for word in unsupported:
            print(f"storage does not support content type '{word}'", file=sys.stderr)
        words = [word for word in split_list(content) if word not in unsupported]
        if "none" in words and len(words) > 1:
            raise ApiError("unable to combine 'none' with other content types")
        if not words:
            raise ApiError("storage does not support content type 'none'")
        storage.values["content"] = ",".join(dict.fromkeys(words))


def _assert_options(storage: Storage) -> None:
    kind = storage.kind
    for key in storage.values:
        if key not in (*kind.required, *kind.optional):
            raise ApiError(f"unexpected property '{key}'")
    for key in kind.required:
        if key not in storage.values:
            raise ApiError(f"missing value for required option '{key}'")
    if storage.type == "dir":
        path = storage.values["path"]
        if not _PATH_CHARACTERS.fullmatch(path):
            raise ApiError(f"illegal path for directory storage: {path}")
        storage.values["path"] = re.sub("/+", "/", path).rstrip("/") or "/"


def _warn_of_mkdir(storage: Storage) -> None:
    if "mkdir" in storage.values:
        print(
            f"NOTE: The 'mkdir' option set for '{storage.name}' is deprecated and will be removed in Proxmox VE 9. "
            "Use 'create-base-path' or 'create-subdirs' instead.",
            file=sys.stderr,
        )


@api_method(
    "PUT", "/storage/{storage}", permissions=_CHANGE, protected=True, returns=Object(),
    parameters={
        "storage": STORAGE_ID,
        **{key: value for key, value in PROPERTIES.items() if key not in CREATE_ONLY},
        "delete": Text(optional=True, format="pve-configid-list", max_length=4096),
        "digest": CONFIG_DIGEST,
    },
)  # fmt: skip
def update_storage(call: Call) -> dict:
    """Change a definition."""
    params = dict(call.params)
    name = params.pop("storage")
    delete, digest = split_list(params.pop("delete", "")), params.pop("digest", None)
    with _changing("update storage failed") as storages:
        if digest and digest != storages.digest:
            raise ApiError("detected modified configuration - file changed by other user? Try again.")
        storage = storages.find(name)
        changed = Storage(name, storage.type, {key: _text(value) for key, value in params.items()})
        kind = storage.kind
        for key in changed.values:
            if key in kind.required or key == "snapshot-as-volume-chain":
                raise ApiError(f"can't change value of fixed parameter '{key}'")
            if key not in kind.optional:
                raise ApiError(f"unexpected property '{key}'")
        if "content" in changed.values:
            _complete(changed)
        for key in delete:
            if key not in (*kind.required, *kind.optional):
                raise ApiError(f"no such option '{key}'")
            if key in kind.required:
                raise ApiError(f"unable to delete required option '{key}'")
            if key in changed.values:
                raise ApiError(f"cannot set and delete property '{key}' at the same time!")
            storage.values.pop(key, None)
        storage.values.update({key: value for key, value in changed.values.items() if key in params})
        _warn_of_mkdir(storage)
        save_storages(storages)
    return {"storage": name, "type": storage.type}


@api_method("DELETE", "/storage/{storage}", permissions=_CHANGE, protected=True, parameters={"storage": STORAGE_ID})
def delete_storage(call: Call) -> None:
    """Forget a storage; its files stay."""
    name = call.params["storage"]
    with _changing("delete storage failed") as storages:
        storages.find(name)
        if any(storage.values.get("base", "").startswith(f"{name}:") for storage in storages.storages.values()):
            raise ApiError("can't remove storage - storage is used as base of another storage")
        del storages.storages[name]
        save_storages(storages)
