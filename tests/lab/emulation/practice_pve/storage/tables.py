# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be said about a storage, and which type of storage takes which of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from practice_pve.rest.parameters import Boolean, Integer, Number, Parameter, Text

CONTENT_TYPES = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none")
IMAGE_FORMATS = ("raw", "qcow2", "subvol", "vmdk")
_LIMIT = Number(optional=True, minimum=0)
_PATH = Text(optional=True, format="pve-storage-path")
_FLAG = Boolean(optional=True)
_TEXT = Text(optional=True)
_VOLUME_GROUP = Text(optional=True, format="pve-storage-vgname")

PROPERTIES: dict[str, Parameter] = {
    "nodes": Text(optional=True, format="pve-node-list"),
    "content": Text(optional=True, format="pve-storage-content-list"),
    "disable": _FLAG,
    "prune-backups": Text(optional=True, format="prune-backups"),
    "max-protected-backups": Integer(optional=True, minimum=-1),
    "shared": _FLAG,
    "subdir": _PATH,
    "format": Text(optional=True, enum=IMAGE_FORMATS),
    "preallocation": Text(optional=True, enum=("off", "metadata", "falloc", "full")),
    "content-dirs": Text(optional=True, format="pve-dir-override-list"),
    "options": Text(optional=True, format="pve-storage-options"),
    "port": Integer(optional=True, minimum=1, maximum=65535),
    "snapshot-as-volume-chain": _FLAG,
    "path": _PATH,
    "mkdir": _FLAG,
    "create-base-path": _FLAG,
    "create-subdirs": _FLAG,
    "is_mountpoint": _TEXT,
    "bwlimit": Text(optional=True, format=dict.fromkeys(("default", "restore", "migration", "clone", "move"), _LIMIT)),
    "export": _PATH,
    "server": Text(optional=True, format="pve-storage-server"),
    "share": _TEXT,
    "password": Text(optional=True, max_length=256),
    "domain": Text(optional=True, max_length=256),
    "username": _TEXT,
    "smbversion": Text(optional=True, enum=("default", "2.0", "2.1", "3", "3.0", "3.11")),
    "vgname": _VOLUME_GROUP,
    "thinpool": _VOLUME_GROUP,
    "base": Text(optional=True, format="pve-volume-id"),
    "saferemove": _FLAG,
    "saferemove-stepsize": Integer(optional=True, enum=("1", "2", "4", "8", "16", "32")),
    "saferemove_throughput": _TEXT,
    "tagged_only": _FLAG,
    "pool": _TEXT,
    "blocksize": Text(optional=True, format="pve-storage-zfs-blocksize"),
    "sparse": _FLAG,
    "mountpoint": _PATH,
    "nocow": _FLAG,
    "portal": Text(optional=True, format="pve-storage-portal-dns"),
    "target": _TEXT,
    "monhost": Text(optional=True, format="pve-storage-portal-dns-list"),
    "krbd": Boolean(optional=True),
    "keyring": _TEXT,
    "namespace": _TEXT,
    "data-pool": _TEXT,
    "authsupported": _TEXT,
    "fs-name": Text(optional=True, format="pve-configid"),
    "fuse": _FLAG,
    "datastore": _TEXT,
    "fingerprint": Text(optional=True, pattern="([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}"),
    "encryption-key": _TEXT,
    "master-pubkey": _TEXT,
    "skip-cert-verification": _FLAG,
    "iscsiprovider": _TEXT,
    "nowritecache": _FLAG,
    "comstar_hg": _TEXT,
    "comstar_tg": _TEXT,
    "lio_tpg": _TEXT,
    "zfs-base-path": _PATH,
}

# Said when a storage is made, never changed.
CREATE_ONLY = (
    "authsupported", "base", "datastore", "export", "iscsiprovider", "path", "portal", "share", "target", "thinpool",
    "vgname",
)  # fmt: skip

_EVERY_TYPE = ("nodes", "disable", "content")
_FILE_STORAGE = (
    *_EVERY_TYPE, "content-dirs", "prune-backups", "max-protected-backups", "format", "mkdir", "create-base-path",
    "create-subdirs", "bwlimit", "preallocation", "snapshot-as-volume-chain",
)  # fmt: skip
_FILE_CONTENT = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import")


@dataclass(frozen=True)
class StorageType:
    """One plugin: its keys, what it can hold, and whether the emulation can make volumes on it."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    content: tuple[str, ...]
    default_content: tuple[str, ...]
    formats: tuple[str, ...] = ("raw",)
    shared: bool = False
    has_path: bool = False
    emulated: bool = field(default=False)


TYPES: dict[str, StorageType] = {
    "dir": StorageType(
        ("path",),
        (*_FILE_STORAGE, "shared", "is_mountpoint"),
        (*_FILE_CONTENT, "none"),
        ("images", "rootdir"),
        ("raw", "qcow2", "vmdk", "subvol"),
        has_path=True,
        emulated=True,
    ),
    "nfs": StorageType(
        ("export", "path", "server"),
        (*_FILE_STORAGE, "options"),
        _FILE_CONTENT,
        ("images",),
        ("raw", "qcow2", "vmdk"),
        shared=True,
        has_path=True,
        emulated=True,
    ),
    "cifs": StorageType(
        ("path", "server", "share"),
        (*_FILE_STORAGE, "subdir", "username", "password", "domain", "smbversion", "options"),
        _FILE_CONTENT,
        ("images",),
        ("raw", "qcow2", "vmdk"),
        shared=True,
        has_path=True,
    ),
    "btrfs": StorageType(
        ("path",), (*_FILE_STORAGE, "shared", "is_mountpoint", "nocow"), (*_FILE_CONTENT, "none"),
        ("images", "rootdir"), ("raw", "subvol"), has_path=True,
    ),
    "lvm": StorageType(
        ("vgname",),
        (*_EVERY_TYPE, "shared", "base", "saferemove", "saferemove-stepsize", "saferemove_throughput", "tagged_only",
         "bwlimit", "snapshot-as-volume-chain"),
        ("images", "rootdir"), ("images",), ("raw", "qcow2"),
    ),
    "lvmthin": StorageType(
        ("thinpool", "vgname"), (*_EVERY_TYPE, "bwlimit"), ("images", "rootdir"), ("images", "rootdir")
    ),
    "zfspool": StorageType(
        ("pool",), (*_EVERY_TYPE, "blocksize", "sparse", "bwlimit", "mountpoint"), ("images", "rootdir"),
        ("images", "rootdir"), ("raw", "subvol"),
    ),
    "rbd": StorageType(
        (), (*_EVERY_TYPE, "monhost", "pool", "data-pool", "namespace", "username", "krbd", "keyring", "bwlimit",
             "authsupported"),
        ("images", "rootdir"), ("images",), shared=True,
    ),
    "cephfs": StorageType(
        ("path",), (*_EVERY_TYPE, "fuse", "fs-name", "keyring", "monhost", "subdir", "username", "options", "bwlimit",
                    "content-dirs", "prune-backups", "max-protected-backups", "mkdir", "create-base-path",
                    "create-subdirs"),
        ("vztmpl", "iso", "backup", "snippets", "import"), ("backup",), shared=True, has_path=True,
    ),
    "iscsi": StorageType(("portal", "target"), (*_EVERY_TYPE, "bwlimit"), ("images", "none"), ("images",), shared=True),
    "iscsidirect": StorageType(("portal", "target"), (*_EVERY_TYPE, "bwlimit"), ("images", "none"), ("images",), shared=True),
    "zfs": StorageType(
        ("iscsiprovider", "pool", "portal", "target"),
        (*_EVERY_TYPE, "blocksize", "nowritecache", "sparse", "comstar_hg", "comstar_tg", "lio_tpg", "zfs-base-path",
         "bwlimit"),
        ("images",), ("images",), shared=True,
    ),
    "pbs": StorageType(
        ("datastore", "server"),
        (*_EVERY_TYPE, "port", "username", "password", "encryption-key", "master-pubkey", "prune-backups",
         "max-protected-backups", "fingerprint", "namespace", "skip-cert-verification"),
        ("backup", "none"), ("backup",), shared=True,
    ),
    "esxi": StorageType(
        ("server",), (*_EVERY_TYPE, "username", "password", "skip-cert-verification", "port"), ("import",), ("import",),
        shared=True,
    ),
}  # fmt: skip
