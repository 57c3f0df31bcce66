# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of what a step takes away, on the node, for root only.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import sqlite3
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import StepFailed

DATABASE = Path("/var/lib/pve-cluster/config.db")
COROSYNC = Path("/etc/corosync")
PMXCFS = Path("/etc/pve")
_SHARED_FILES = (
    "corosync.conf", "storage.cfg", "datacenter.cfg", "user.cfg", "jobs.cfg", "replication.cfg", "vzdump.cron",
    "ha", "firewall", "mapping", "sdn",
)  # fmt: skip


def save_cluster(directory: Path, node_name: str) -> Path:
    """config.db (it holds all of /etc/pve, private keys included), /etc/corosync and the readable configuration."""
    guests = [path for kind in ("qemu-server", "lxc") for path in (PMXCFS / "nodes").glob(f"*/{kind}/*.conf")]
    names = [PMXCFS / name for name in _SHARED_FILES]
    return _archive(directory, f"{node_name}-cluster", [COROSYNC, *names, *guests], with_database=True)


def save_files(directory: Path, node_name: str, paths: Iterable[Path], purpose: str) -> Path:
    return _archive(directory, f"{node_name}-{purpose}", paths, with_database=False)


def _archive(directory: Path, name: str, paths: Iterable[Path], with_database: bool) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = directory / f"{name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.tar.gz"
    copy = directory / f".{name}-{os.getpid()}.db"
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for path in paths:
                if path.exists():
                    archive.add(path, arcname=str(path).lstrip("/"))
            if with_database and DATABASE.exists():
                _copy_database(copy)
                archive.add(copy, arcname=str(DATABASE).lstrip("/"))
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        target.unlink(missing_ok=True)
        raise StepFailed(f"The backup {target} could not be made: {error}", "Nothing was taken away.") from error
    finally:
        copy.unlink(missing_ok=True)
    return target


def _copy_database(target: Path) -> None:
    """A copy that is whole although pmxcfs may be writing."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    source = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True, timeout=10)
    try:
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
    finally:
        source.close()
