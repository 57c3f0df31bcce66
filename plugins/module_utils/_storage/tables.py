# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be said about a storage, and which type of storage takes which of it. Names are those of Proxmox VE's API.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._desired.kinds import Boolean, Integer, Kind, Names, Text
from .._desired.property_string import PropertyString
from .._desired.schema import LIVE, Key, Schema

CONTENT_TYPES = ("backup", "images", "import", "iso", "none", "rootdir", "snippets", "vztmpl")
_KEEP = Integer(minimum=0)
_FLAG = Boolean(default=False)
#: They are on unless somebody says no.
_ON = Boolean(default=True)


def _key(name: str, kind: Kind | None = None, *, secret: bool = False) -> Key:
    return Key(name, kind or Text(), effect=LIVE, secret=secret)


STORAGE = Schema.of(
    [
        _key("content", Names(choices=CONTENT_TYPES)),
        _key("nodes", Names(default=())),
        _key("disable", _FLAG),
        _key("shared", _FLAG),
        # where it is
        _key("path", Text(pattern=r"/\S*", meaning="an absolute path")),
        _key("server"),
        _key("port", Integer(minimum=1, maximum=65535)),
        _key("export", Text(pattern=r"/\S*", meaning="an absolute path")),
        _key("share"),
        _key("subdir", Text(pattern=r"/\S*", meaning="a path that begins with a slash")),
        _key("options"),
        _key("smbversion", Text(choices=("default", "2.0", "2.1", "3", "3.0", "3.11"))),
        _key("domain"),
        _key("portal"),
        _key("target"),
        _key("vgname"),
        _key("thinpool"),
        _key("base"),
        _key("pool"),
        _key("mountpoint", Text(pattern=r"/\S*", meaning="an absolute path")),
        _key("datastore"),
        _key("namespace"),
        _key("fingerprint", Text(pattern=r"([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}", meaning="a SHA-256 fingerprint", case_blind=True)),
        _key("monhost"),
        _key("data-pool"),
        _key("fs-name"),
        _key("authsupported"),
        _key("iscsiprovider", Text(choices=("comstar", "istgt", "iet", "LIO"))),
        _key("comstar_hg"),
        _key("comstar_tg"),
        _key("lio_tpg"),
        _key("zfs-base-path"),
        # who may
        _key("username"),
        _key("password", secret=True),
        _key("encryption-key", secret=True),
        _key("master-pubkey", secret=True),
        _key("keyring", secret=True),
        _key("skip-cert-verification", _FLAG),
        # how it is used
        _key("is_mountpoint"),
        _key("create-base-path", _ON),
        _key("create-subdirs", _ON),
        _key("content-dirs"),
        _key("format", Text(choices=("raw", "qcow2", "subvol", "vmdk"))),
        _key("preallocation", Text(default="metadata", choices=("off", "metadata", "falloc", "full"))),
        _key("snapshot-as-volume-chain", _FLAG),
        _key("max-protected-backups", Integer(minimum=-1)),
        _key(
            "prune-backups",
            PropertyString(properties={"keep-all": _FLAG, **{f"keep-{unit}": _KEEP for unit in ("last", "hourly", "daily", "weekly", "monthly", "yearly")}}),
        ),
        _key("bwlimit", PropertyString(properties=dict.fromkeys(("default", "restore", "migration", "clone", "move"), _KEEP))),
        _key("blocksize"),
        _key("sparse", _FLAG),
        _key("nowritecache", _FLAG),
        _key("nocow", _FLAG),
        _key("tagged_only", _FLAG),
        _key("saferemove", _FLAG),
        _key("saferemove_throughput"),
        _key("saferemove-stepsize", Integer()),
        _key("krbd", _FLAG),
        _key("fuse", _FLAG),
    ]
)  # fmt: skip

#: Said when a storage is made; Proxmox VE never changes them afterwards.
FIXED = frozenset(
    ("authsupported", "base", "datastore", "export", "iscsiprovider", "path", "portal", "share", "target", "thinpool", "vgname")
)  # fmt: skip
#: Kept in files of their own that nobody can read back, so they cannot be compared.
UNREADABLE = frozenset(("password", "encryption-key", "master-pubkey", "keyring"))

_EVERY_TYPE = frozenset(("nodes", "disable", "content"))
_BACKUPS = frozenset(("prune-backups", "max-protected-backups"))
_DIRECTORY = _EVERY_TYPE | _BACKUPS | {"content-dirs", "create-base-path", "create-subdirs", "bwlimit"}
_IMAGES = _DIRECTORY | {"format", "preallocation", "snapshot-as-volume-chain"}


@dataclass(frozen=True)
class Probe:
    """How a node is asked whether it reaches what a storage stands on: C(/nodes/N/scan/METHOD)."""

    method: str
    #: The call's parameters, and the storage's keys that they are.
    parameters: tuple[tuple[str, str], ...]
    #: The answer's property that must name what is in the storage's key.
    listed_as: str
    key: str


@dataclass(frozen=True)
class StorageType:
    required: frozenset[str]
    optional: frozenset[str]
    #: What is the same place seen from every node: only such a storage makes a guest movable.
    is_network: bool = False
    probe: Probe | None = None

    @property
    def keys(self) -> frozenset[str]:
        return self.required | self.optional


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


TYPES: dict[str, StorageType] = {
    "dir": StorageType(frozenset(("path",)), _IMAGES | {"shared", "is_mountpoint"}),
    "btrfs": StorageType(frozenset(("path",)), _IMAGES | {"shared", "is_mountpoint", "nocow"}),
    "nfs": StorageType(
        frozenset(("server", "export")), _IMAGES | {"path", "options"}, True,
        Probe("nfs", _same("server"), "path", "export"),
    ),
    "cifs": StorageType(
        frozenset(("server", "share")),
        _IMAGES | {"path", "subdir", "username", "password", "domain", "smbversion", "options"}, True,
        Probe("cifs", _same("server", "username", "password", "domain"), "share", "share"),
    ),
    "cephfs": StorageType(
        frozenset(), _DIRECTORY | {"path", "fuse", "fs-name", "keyring", "monhost", "subdir", "username", "options"}, True
    ),
    "rbd": StorageType(
        frozenset(),
        _EVERY_TYPE | {"monhost", "pool", "data-pool", "namespace", "username", "krbd", "keyring", "bwlimit", "authsupported"},
        True,
    ),
    "lvm": StorageType(
        frozenset(("vgname",)),
        _EVERY_TYPE | {"shared", "base", "saferemove", "saferemove-stepsize", "saferemove_throughput", "tagged_only",
                       "bwlimit", "snapshot-as-volume-chain"},
        probe=Probe("lvm", (), "vg", "vgname"),
    ),
    "lvmthin": StorageType(
        frozenset(("vgname", "thinpool")), _EVERY_TYPE | {"bwlimit"},
        probe=Probe("lvmthin", (("vg", "vgname"),), "lv", "thinpool"),
    ),
    "zfspool": StorageType(
        frozenset(("pool",)), _EVERY_TYPE | {"blocksize", "sparse", "bwlimit", "mountpoint"},
        probe=Probe("zfs", (), "pool", "pool"),
    ),
    "zfs": StorageType(
        frozenset(("iscsiprovider", "pool", "portal", "target")),
        _EVERY_TYPE | {"blocksize", "nowritecache", "sparse", "comstar_hg", "comstar_tg", "lio_tpg", "zfs-base-path", "bwlimit"},
        True,
    ),
    "iscsi": StorageType(
        frozenset(("portal", "target")), _EVERY_TYPE | {"bwlimit"}, True,
        Probe("iscsi", _same("portal"), "target", "target"),
    ),
    "iscsidirect": StorageType(
        frozenset(("portal", "target")), _EVERY_TYPE | {"bwlimit"}, True,
        Probe("iscsi", _same("portal"), "target", "target"),
    ),
    "pbs": StorageType(
        frozenset(("server", "datastore")),
        _EVERY_TYPE | _BACKUPS
        | {"port", "username", "password", "encryption-key", "master-pubkey", "fingerprint", "namespace", "skip-cert-verification"},
        True,
        Probe("pbs", _same("server", "username", "password", "fingerprint", "port"), "store", "datastore"),
    ),
    "esxi": StorageType(
        frozenset(("server",)), _EVERY_TYPE | {"username", "password", "skip-cert-verification", "port"}, True
    ),
}  # fmt: skip
