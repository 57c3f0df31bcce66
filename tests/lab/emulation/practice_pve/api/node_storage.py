# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/storage: state and content of storages on one node."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess

from practice_pve.access import permissions
from practice_pve.guests import formats as guest_formats  # noqa: F401 - registers pve-volume-id
from practice_pve.guests.formats import split_volume_id
from practice_pve.guests.sizes import parse_size
from practice_pve.rest import AnyUser, ApiError, Call, Check, NotEmulated, ParameterErrors, api_method, run_worker
from practice_pve.rest.parameters import (
    NODE,
    STORAGE_ID,
    VMID,
    Array,
    Boolean,
    Integer,
    Object,
    Parameter,
    Text,
    optional,
)
from practice_pve.storage import formats, volumes  # noqa: F401 - the formats register themselves
from practice_pve.storage.content import list_content, remove_volume
from practice_pve.storage.definitions import load_storages
from practice_pve.storage.status import storage_entries, storage_entry

WHERE: dict[str, Parameter] = {"node": NODE, "storage": STORAGE_ID}
AUDIT = Check("perm", "/storage/{storage}", ["Datastore.Audit", "Datastore.AllocateSpace"], "any", 1)
_UPLOADABLE = Text(enum=("iso", "vztmpl", "import"), format="pve-storage-content")
_CHECKSUMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_NUMBER = Integer(optional=True, renderer="bytes")
STATUS_COLUMNS: dict[str, Parameter] = {
    "storage": STORAGE_ID,
    "type": Text(title="Type"),
    "content": Text(),
    "active": Boolean(optional=True),
    "avail": _NUMBER,
    "enabled": Boolean(optional=True),
    "shared": Boolean(optional=True),
    "total": _NUMBER,
    "used": _NUMBER,
}


@api_method(
    "GET", "/nodes/{node}/storage", permissions=AnyUser(), protected=True, proxyto="node", child_link="storage",
    returns=Array(items=Object(properties=STATUS_COLUMNS)),
    parameters={
        "node": NODE,
        "storage": optional(STORAGE_ID),
        "content": Text(optional=True, format="pve-storage-content-list"),
        "enabled": Boolean(optional=True, default=0),
        "target": Text(optional=True, format="pve-node"),
        "format": Boolean(optional=True, default=0),
    },
)  # fmt: skip
def list_storages(call: Call) -> list[dict]:
    """Every storage that this node can use."""
    params = call.params
    entries = storage_entries(
        content=params.get("content"),
        name=params.get("storage"),
        only_enabled=bool(params.get("enabled")),
        with_formats=bool(params.get("format")),
    )
    wanted = ["Datastore.Audit", "Datastore.AllocateSpace"]
    return [
        entry
        for entry in entries
        if permissions.has(call.user or "", f"/storage/{entry['storage']}", wanted, any_of=True)
    ]


@api_method(
    "GET", "/nodes/{node}/storage/{storage}", permissions=AUDIT, proxyto="node", parameters=WHERE, child_link="subdir"
)
def list_parts(_call: Call) -> list[dict]:
    """The sub-directories."""
    names = (
        "content", "download-url", "file-restore", "identity", "import-metadata", "prunebackups", "rrd", "rrddata",
        "status", "upload",
    )  # fmt: skip
    return [{"subdir": name} for name in names]


@api_method(
    "GET", "/nodes/{node}/storage/{storage}/status", permissions=AUDIT, protected=True, proxyto="node",
    parameters=WHERE, returns=Object(),
)  # fmt: skip
def read_status(call: Call) -> dict:
    """One storage's sizes."""
    name = call.params["storage"]
    storages = load_storages()
    if name not in storages.storages or not storages.storages[name].is_on_node(call.node):
        error = ParameterErrors({"storage": "No such storage."})
        error.exit_code = 25  # errno left over in the real program: ENOTTY from the files that it has read
        raise error
    entry = storage_entry(storages.storages[name])
    entry.pop("storage")
    entry.pop("used_fraction", None)
    return entry


@api_method(
    "GET", "/nodes/{node}/storage/{storage}/content", permissions=AUDIT, protected=True, proxyto="node",
    child_link="volid", returns=Array(items=Object()),
    parameters={
        **WHERE, "content": Text(optional=True, format="pve-storage-content"), "vmid": optional(VMID),
    },
)  # fmt: skip
def read_content(call: Call) -> list[dict]:
    """Volumes on the storage."""
    storage = load_storages().find_enabled(call.params["storage"])
    content = call.params.get("content")
    if content and content not in storage.kind.content:
        return []
    entries = list_content(storage, content, call.params.get("vmid"))
    if permissions.has(call.user or "", f"/storage/{storage.name}", ["Datastore.Allocate"]):
        return entries
    return [entry for entry in entries if entry["content"] in ("iso", "vztmpl", "import", "snippets")]


@api_method(
    "POST", "/nodes/{node}/storage/{storage}/content", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/storage/{storage}", ["Datastore.AllocateSpace"]),
    parameters={
        **WHERE,
        "filename": Text(),
        "vmid": VMID,
        "size": Text(pattern=r"\d+[MG]?"),
        "format": Text(optional=True, enum=("raw", "qcow2", "subvol", "vmdk"), requires="size"),
    },
)  # fmt: skip
def allocate_volume(call: Call) -> str:
    """Make an empty volume."""
    params = call.params
    name, wanted = params["filename"], params.get("format")
    size = str(params["size"])
    # a plain number counts KiB
    octets = int(size) * 1024 if size.isdigit() else parse_size(size) or 0
    suffix = re.fullmatch(r".*\.(raw|qcow2|vmdk)", name)
    if suffix:
        if wanted and wanted != suffix[1]:
            raise ParameterErrors({"format": f"different storage formats ({wanted} != {suffix[1]})"})
        wanted = suffix[1]
    return volumes.allocate(load_storages(), params["storage"], params["vmid"], wanted, octets, name)


def _volume_id(call: Call) -> str:
    volume = call.params["volume"]
    return volume if split_volume_id(volume) else f"{call.params.get('storage')}:{volume}"


@api_method(
    "GET", "/nodes/{node}/storage/{storage}/content/{volume:+}", permissions=AnyUser(), protected=True, proxyto="node",
    parameters={**WHERE, "volume": Text()}, returns=Object(),
)  # fmt: skip
def read_volume(call: Call) -> dict:
    """One volume's file."""
    volume_id = _volume_id(call)
    storages = load_storages()
    info = volumes.info_of(storages, volume_id)
    if info is None:
        path = volumes.path_of(storages, volume_id)
        raise ApiError(f"volume_size_info on '{volume_id}' failed - no such file '{path}'")
    return {"path": volumes.path_of(storages, volume_id), "size": info.size, "used": info.used, "format": info.format}


@api_method(
    "DELETE", "/nodes/{node}/storage/{storage}/content/{volume:+}", permissions=AnyUser(), protected=True,
    proxyto="node", returns=Text(optional=True),
    parameters={**WHERE, "volume": Text(), "delay": Integer(optional=True, minimum=1, maximum=30)},
)  # fmt: skip
def delete_volume(call: Call) -> str | None:
    """Remove a volume in a worker."""
    volume_id = _volume_id(call)
    storages = load_storages()
    storage, name = volumes.split(storages, volume_id)
    permissions.require(call.user or "", f"/storage/{storage.name}", ["Datastore.Allocate"])

    def work(_upid: str) -> None:
        remove_volume(storages, volume_id)
        print(f"Removed volume '{volume_id}'")

    upid = run_worker(call, "imgdel", f"{name.owner}@{storage.name}" if name.owner else storage.name, work)
    return None if call.params.get("delay") else upid


@api_method(
    "POST", "/nodes/{node}/storage/{storage}/download-url", protected=True, proxyto="node", returns=Text(),
    permissions=Check(
        "and",
        ["perm", "/storage/{storage}", ["Datastore.AllocateTemplate"]],
        ["or", ["perm", "/", ["Sys.Audit", "Sys.Modify"]], ["perm", "/nodes/{node}", ["Sys.AccessNetwork"]]],
    ),
    parameters={
        **WHERE,
        "url": Text(pattern="https?://.*"),
        "content": _UPLOADABLE,
        "filename": Text(max_length=255),
        "checksum": Text(optional=True, requires="checksum-algorithm"),
        "checksum-algorithm": Text(optional=True, enum=_CHECKSUMS, requires="checksum"),
        "compression": Text(optional=True, enum=("gz", "lzo", "zst", "bz2")),
        "verify-certificates": Boolean(optional=True, default=1),
    },
)  # fmt: skip
def download_url(call: Call) -> str:
    """Fetch a file in a worker."""
    params = call.params
    storage = load_storages().find_enabled(params["storage"])
    content = params["content"]
    if content not in storage.content:
        raise ApiError(f"can't upload to storage type '{storage.type}', content type '{content}' not configured")
    if params.get("compression"):
        raise NotEmulated("download-url with compression")
    name = _normal_name(params["filename"])
    path = f"{storage.directory(content)}/{name}"
    _assert_file_name(content, name, params["filename"])

    def work(_upid: str) -> None:
        print(f"downloading {params['url']} to {path}")
        _fetch(params["url"], path, verify=bool(params.get("verify-certificates", True)))
        algorithm = params.get("checksum-algorithm")
        if algorithm:
            print("calculating checksum...", end="")
            with open(path, "rb") as stream:
                found = hashlib.file_digest(stream, algorithm).hexdigest()
            if found != params["checksum"].lower():
                os.unlink(path)
                raise ApiError(f"checksum mismatch: got '{found}' != expect '{params['checksum']}'")
            print("OK, checksum verified")
        print(f"download of '{params['url']}' to '{path}' finished")

    return run_worker(call, "download", name, work)


def _normal_name(name: str) -> str:
    return re.sub(r"[^-a-zA-Z0-9_.]", "_", re.sub(r"\s", "_", name.strip()).rpartition("/")[2])


def _assert_file_name(content: str, name: str, given: str) -> None:
    patterns = {
        "iso": (r".+\.(iso|img)", "wrong file extension"),
        "vztmpl": (r".+\.tar\.(gz|xz|zst|bz2)|.+\.tar", "wrong file extension"),
        "import": (r".+\.(ova|qcow2|raw|vmdk)", "invalid filename or wrong extension"),
    }
    pattern, complaint = patterns[content]
    if not re.fullmatch(pattern, name, re.IGNORECASE if content == "iso" else 0):
        raise ParameterErrors({"filename": complaint}) if given else ApiError(complaint)


def _fetch(url: str, path: str, *, verify: bool) -> None:
    """Let wget do it, whose words end up in the task's log."""
    temporary = f"{path}.tmp.{os.getpid()}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    options = [] if verify else ["--no-check-certificate"]
    with subprocess.Popen(
        ["wget", "--progress=dot:giga", "--tries=1", *options, "-O", temporary, url],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as program:  # fmt: skip
        lines: list[str] = []
        for line in program.stdout or ():
            # the last line is kept back: it is the reason when the download fails
            if lines:
                print(lines[-1], flush=True)
            lines = [line.rstrip("\n")]
    if program.returncode:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise ApiError(f"download failed: {lines[-1] if lines else 'no answer'}")
    os.rename(temporary, path)
