# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""storage.cfg: which storages exist, what they take, where they live."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from practice_pve import settings
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError
from practice_pve.rest.formats import split_list
from practice_pve.section_config import Section, SectionConfig, parse_sections, render_sections
from practice_pve.storage.tables import TYPES, StorageType

STORAGE_FILE = "storage.cfg"
LOCAL_PATH = "/var/lib/vz"
# Sub-directory of each content type below a file storage's path.
SUBDIRECTORIES = {
    "images": "images",
    "rootdir": "private",
    "vztmpl": "template/cache",
    "iso": "template/iso",
    "backup": "dump",
    "snippets": "snippets",
    "import": "import",
}


@dataclass
class Storage:
    """One storage as storage.cfg says it."""

    name: str
    type: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> StorageType:
        """The storage's type; a type this version does not know has no volumes."""
        return TYPES[self.type]

    @property
    def content(self) -> list[str]:
        """Content types, `none` left out."""
        return [word for word in split_list(self.values.get("content", "")) if word != "none"]

    @property
    def path(self) -> str | None:
        """Root directory of a file storage."""
        return self.values.get("path")

    @property
    def is_shared(self) -> bool:
        """True when every node sees the same volumes."""
        return self.kind.shared or self.values.get("shared") == "1"

    @property
    def is_disabled(self) -> bool:
        """True when switched off by the administrator."""
        return self.values.get("disable", "0") != "0"

    @property
    def default_format(self) -> str:
        """Image format of a new disk when none is asked for."""
        return self.values.get("format", "raw")

    def is_on_node(self, node: str) -> bool:
        """False when the storage is limited to other nodes."""
        nodes = split_list(self.values.get("nodes", ""))
        return not nodes or node in nodes

    def directory(self, content: str) -> str:
        """Directory of a content type (`content-dirs` may move it)."""
        moved = dict(part.split("=", 1) for part in split_list(self.values.get("content-dirs", "")) if "=" in part)
        if content not in SUBDIRECTORIES:
            raise ApiError(f"unknown vtype '{content}'")
        return f"{self.path}/{moved.get(content, SUBDIRECTORIES[content])}"


@dataclass
class StorageList:
    """All storages in file order, `local` always among them."""

    storages: dict[str, Storage]
    digest: str

    def find(self, name: str) -> Storage:
        """The storage or PVE's complaint."""
        if name not in self.storages:
            raise ApiError(f"storage '{name}' does not exist")
        return self.storages[name]

    def find_enabled(self, name: str, node: str | None = None) -> Storage:
        """The storage when it can be used on the node."""
        storage = self.find(name)
        where = node or settings.nodename()
        if storage.is_disabled:
            raise ApiError(f"storage '{name}' is disabled")
        if not storage.is_on_node(where):
            raise ApiError(f"storage '{name}' is not available on node '{where}'")
        return storage


def load_storages() -> StorageList:
    """Read storage.cfg; a node without one has `local`."""
    return parse_storages(client.read(STORAGE_FILE) or "")


def parse_storages(text: str) -> StorageList:
    """Make storages of the file's text and put `local` right, as PVE does on every read."""
    config = parse_sections(text)
    storages = {
        name: Storage(name, section.type, dict(section.values))
        for name, section in config.sections.items()
        if section.type in TYPES
    }
    local = storages.get("local")
    if local is None or local.type != "dir" or local.path not in (None, LOCAL_PATH):
        values = {"path": LOCAL_PATH, "content": "images,rootdir,vztmpl,iso,backup,snippets,import"}
        storages = {"local": Storage("local", "dir", values), **{k: v for k, v in storages.items() if k != "local"}}
    else:
        local.values["path"] = LOCAL_PATH
    for storage in storages.values():
        storage.values.setdefault("content", ",".join(storage.kind.default_content))
        if storage.kind.shared and storage.type != "dir":
            storage.values["shared"] = "1"
    return StorageList(storages, config.digest)


def render_storages(storages: StorageList) -> str:
    """The file's text; what PVE adds on reading (`shared` of network storages) is not written."""
    sections = {}
    for storage in storages.storages.values():
        values = dict(storage.values)
        if storage.kind.shared and "shared" not in storage.kind.optional:
            values.pop("shared", None)
        sections[storage.name] = Section(storage.type, storage.name, values)
    return render_sections(SectionConfig(sections), lambda name: (TYPES[name].required, TYPES[name].optional))


def save_storages(storages: StorageList) -> None:
    """Write storage.cfg."""
    client.write(STORAGE_FILE, render_storages(storages))


def make_directories(storage: Storage) -> None:
    """What activating a file storage does: its directories appear."""
    makes_base = storage.values.get("mkdir") != "0" and storage.values.get("create-base-path") != "0"
    if not makes_base and not os.path.isdir(storage.path or ""):
        raise ApiError(
            f"unable to activate storage '{storage.name}' - directory '{storage.path}' does not exist or is unreachable"
        )
    os.makedirs(storage.path or "", exist_ok=True)
    if storage.values.get("create-subdirs") == "0":
        return
    words = split_list(storage.values.get("content", ""))
    for content in words:
        directory = storage.directory(content)
        if content != "rootdir":
            os.makedirs(directory, exist_ok=True)
