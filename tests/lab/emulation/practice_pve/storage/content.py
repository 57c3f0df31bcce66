# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on a storage."""

from __future__ import annotations

import re
from pathlib import Path

from practice_pve.guests.store import guest_list
from practice_pve.storage import images, volumes
from practice_pve.storage.definitions import Storage, StorageList

_FORMATS = {
    "iso": (r".*\.(iso|img)", lambda _match: "iso"),
    "vztmpl": (
        r".*\.(?:tar\.(gz|xz|zst|bz2)|tar)",
        lambda match: {"gz": "tgz", "xz": "txz", "zst": "tzst", "bz2": "tbz2"}.get(match[1] or "", "tar"),
    ),
    "backup": (r".*?\.((?:tgz|(?:tar|vma)(?:\.(?:gz|lzo|zst|bz2))?))", lambda match: match[1]),
    "snippets": (r".*", lambda _match: "snippet"),
    "import": (r".*\.(ova|ovf|qcow2|raw|vmdk)", lambda match: match[1]),
}


def list_content(storage: Storage, content: str | None = None, owner: int | None = None) -> list[dict]:
    """Volumes of the wanted (or every configured) content type."""
    volumes.activate(storage)
    wanted = [content] if content else storage.content
    found: list[dict] = []
    for kind in wanted:
        if kind in ("images", "rootdir"):
            found += [entry for entry in _disks(storage, owner) if entry["content"] == kind]
        elif kind in _FORMATS:
            found += _files(storage, kind, owner)
    return found


def _disks(storage: Storage, owner: int | None) -> list[dict]:
    guests = guest_list()
    entries = []
    for entry in volumes.list_images(storage, owner):
        kind = guests.get(entry["vmid"], {}).get("type")
        content = "rootdir" if kind == "lxc" or entry["format"] == "subvol" else "images"
        if "images" not in storage.content:
            content = "rootdir"
        entries.append({**entry, "content": content})
    return entries


def _files(storage: Storage, kind: str, owner: int | None) -> list[dict]:
    pattern, spell = _FORMATS[kind]
    directory = Path(storage.directory(kind))
    if not directory.is_dir():
        return []
    entries = []
    for path in sorted(directory.iterdir()):
        match = re.fullmatch(pattern, path.name)
        if not match or not path.is_file():
            continue
        status = path.stat()
        entry: dict = {
            "volid": f"{storage.name}:{kind}/{path.name}",
            "content": kind,
            "format": spell(match),
            "size": images.read_info(str(path)).size if kind == "import" else status.st_size,
            "ctime": int(status.st_ctime),
        }
        guest = re.match(r"vzdump-(lxc|qemu|openvz)-(\d+)-", path.name) if kind == "backup" else None
        if guest:
            entry.update({"vmid": int(guest[2]), "subtype": guest[1]})
        if owner is None or entry.get("vmid") == owner:
            entries.append(entry)
    return entries


def remove_volume(storages: StorageList, volume_id: str) -> None:
    """Free a disk or delete a file."""
    volumes.free(storages, volume_id)
