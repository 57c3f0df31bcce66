# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's files in /etc/pve: corosync.conf, the members, and the lock under which they change."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from practice_pve.cluster import locations
from practice_pve.cluster.corosync_config import CorosyncConfig, format_config, parse_config
from practice_pve.cluster.local_files import lock_file, write_file
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError

Result = TypeVar("Result")


def read_config() -> CorosyncConfig:
    """The cluster configuration; an empty one on a standalone node."""
    return parse_config(client.read("corosync.conf"))


def write_config(config: CorosyncConfig) -> CorosyncConfig:
    """Raise config_version and activate: first corosync.conf.new, then the rename that pmxcfs watches for."""
    raised = config.with_next_version()
    staged = f"{locations.CLUSTER_CONFIG}.new"
    write_file(staged, format_config(raised))
    try:
        os.rename(staged, locations.CLUSTER_CONFIG)
    except OSError as error:
        raise ApiError(f"activating corosync.conf.new failed - {error.strerror}\n") from error
    return raised


def require_config() -> None:
    """Refuse on a node without a cluster; the exit code is the errno (ENOENT) left over from the look."""
    if not os.path.isfile(locations.CLUSTER_CONFIG):
        raise ApiError(
            f"Error: Corosync config '{locations.CLUSTER_CONFIG}' does not exist - is this node part of a cluster?\n",
            exit_code=2,
        )


def members() -> dict[str, dict[str, Any]]:
    """The node list of .members by name; empty on a standalone node."""
    nodes: dict[str, dict[str, Any]] = client.members().get("nodelist") or {}
    return nodes


def member_address(node: str) -> str | None:
    address = members().get(node, {}).get("ip")
    return str(address) if address else None


def change_under_lock(change: Callable[[], Result]) -> Result:
    """One change of the membership at a time: on this node always, cluster-wide once there is anybody else."""
    with lock_file(locations.MEMBERSHIP_LOCK, 10):
        if len(members()) > 1:
            with client.cfs_lock("file-corosync_conf", timeout=10):
                return change()
        return change()
