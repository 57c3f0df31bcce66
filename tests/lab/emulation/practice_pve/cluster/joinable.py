# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May this node join a cluster? All reasons against it at once, as PVE lists them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from practice_pve.cluster import locations
from practice_pve.cluster.addresses import describe_unusable_address
from practice_pve.cluster.links import Link
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError

JOIN_API_VERSION = 1
OLDEST_PARTNER = 0


def assert_joinable(local_address: str, links: Mapping[int, Link], force: bool) -> None:
    reasons = list(_find_reasons(local_address, links))
    if not reasons:
        return
    listed = "".join(f"* {reason}\n" for reason in reasons)
    print(f"detected the following error(s):\n{listed}", end="", file=sys.stderr, flush=True)
    if not force:
        raise ApiError("Check if node may join a cluster failed!\n")
    print("\nWARNING : detected error but forced to continue!\n\n", end="", file=sys.stderr, flush=True)


def _find_reasons(local_address: str, links: Mapping[int, Link]) -> list[str]:
    reasons: list[str] = []
    if os.path.isfile(locations.CLUSTER_KEY):
        reasons.append(f"authentication key '{locations.CLUSTER_KEY}' already exists")
    if os.path.isfile(locations.CLUSTER_CONFIG):
        reasons.append(f"cluster config '{locations.CLUSTER_CONFIG}' already exists")
    if guest_ids():
        reasons.append("this host already contains virtual guests")
    if is_corosync_running():
        reasons.append("corosync is already running, is this node already in a cluster?!")
    checked = {"local node address": local_address}
    checked.update({f"link{number}": str(link["address"]) for number, link in links.items()})
    for what, address in checked.items():
        if reason := describe_unusable_address(address, what):
            reasons.append(reason)
    return reasons


def guest_ids() -> dict[str, Any]:
    """Every guest configuration below /etc/pve/nodes, stale copies of other nodes included."""
    ids: dict[str, Any] = client.guests().get("ids") or {}
    return ids


def is_corosync_running() -> bool:
    asked = subprocess.run(
        ["corosync-quorumtool", "-l"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return asked.returncode == 0


def assert_we_can_join(cluster_version: int) -> None:
    if cluster_version < OLDEST_PARTNER:
        # The missing blank is in the original text.
        raise ApiError(
            f"error: incompatible join API version on cluster ({cluster_version}), local node has {JOIN_API_VERSION} "
            f"and supports >= {OLDEST_PARTNER}. Make sureall cluster nodes are up-to-date.\n"
        )


def assert_joiner_is_new_enough(joiner_version: int) -> None:
    if joiner_version < OLDEST_PARTNER:
        raise ApiError(
            f"error: unsupported old API version on joining node ({joiner_version}), cluster node has "
            f"{JOIN_API_VERSION} and supports >= {OLDEST_PARTNER}. Please upgrade node before joining\n"
        )
