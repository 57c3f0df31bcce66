# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a cluster, add a node to it, delete one: the side of a member."""

from __future__ import annotations

import os
import sys
from typing import Any

from practice_pve import settings
from practice_pve.cluster import cluster_files, locations, ssh_setup
from practice_pve.cluster.addresses import node_address
from practice_pve.cluster.corosync_config import build_first_config
from practice_pve.cluster.joinable import assert_joiner_is_new_enough
from practice_pve.cluster.links import Link, verify_config
from practice_pve.cluster.local_files import lock_file, read_bytes, read_text
from practice_pve.cluster.node_files import make_node_directories, make_node_files
from practice_pve.cluster.node_list import Addition, find_member, invalid_config_error, plan_addition
from practice_pve.cluster.programs import run
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError


def create_cluster(
    cluster_name: str, links: dict[int, Link], node_id: int | None, votes: int | None, token_coefficient: int
) -> None:
    """All steps of `pvecm create`; it ends right after the restart, long before the node is writable again."""
    with lock_file(locations.MEMBERSHIP_LOCK, 10):
        ssh_setup.allow_root_login()
        ssh_setup.ensure_root_key()
        ssh_setup.share_authorized_keys()
        if not os.path.isfile(locations.CLUSTER_KEY):
            run(["/usr/sbin/corosync-keygen", "-lk", locations.CLUSTER_KEY])
        if not os.path.isfile(locations.CLUSTER_KEY):
            raise ApiError("no authentication key available\n")
        node = settings.nodename()
        used_links: dict[int, Link] = links or {0: {"address": node_address(node)}}
        config = build_first_config(node, cluster_name, used_links, node_id or 1, votes or 1, token_coefficient)
        print("Writing corosync config to /etc/pve/corosync.conf", flush=True)
        cluster_files.write_config(config)
        address = node_address(node)
        ssh_setup.merge_root_keys()
        make_node_files(node, address)
        ssh_setup.merge_shared_known_hosts(node, address)
        print("Restart corosync and cluster filesystem", flush=True)
        _restart_services()


def _restart_services() -> None:
    """systemctl restart corosync pve-cluster, which on a real node does not wait for corosync.

    It sends two requests. The one for corosync is over at once, because corosync.conf is not there yet and the unit is
    skipped; the start that pve-cluster then pulls in belongs to nobody, so its failure is not seen either. Sent
    by one systemctl, the second request may come before the first is done and change that; so one after the other.
    """
    requests = [["corosync"], ["pve-cluster"]]
    if os.path.isfile(locations.LOCAL_CLUSTER_CONFIG):
        requests = [["corosync", "pve-cluster"]]
    for units in requests:
        if run(["systemctl", "restart", *units], allow_failure=True):
            raise ApiError("command 'systemctl restart corosync pve-cluster' failed: exit code 1\n")


def add_node(addition: Addition) -> dict[str, Any]:
    """Add a node to corosync.conf and return what the joiner needs."""
    assert_joiner_is_new_enough(addition.api_version)
    client.assert_quorum()
    warnings = cluster_files.change_under_lock(lambda: _add_to_config(addition))
    return {
        "corosync_authkey": read_bytes(locations.CLUSTER_KEY).decode("latin-1"),
        "corosync_conf": read_text(locations.CLUSTER_CONFIG),
        "warnings": warnings,
    }


def _add_to_config(addition: Addition) -> list[str]:
    config = cluster_files.read_config()
    errors, warnings = verify_config(config)
    if errors:
        raise invalid_config_error(errors, warnings, exists=config.main is not None)
    plan = plan_addition(config, addition)
    if plan.overwrites:
        print(f"forcing overwrite of configured node '{addition.node}'", flush=True)
    make_node_directories(addition.node)
    try:
        ssh_setup.merge_root_keys()
    except ApiError as error:
        print(error, file=sys.stderr, flush=True)
    client.log(f"adding node {addition.node} to cluster", "notice", "root@pam", "pvecm")
    cluster_files.write_config(config.with_nodes(plan.nodes))
    return warnings


def delete_node(name_or_address: str) -> None:
    """Take a node out of corosync.conf after killing its corosync; its directory and key stay."""
    if name_or_address == settings.nodename():
        raise ApiError("Cannot delete myself from cluster!\n")
    client.assert_quorum()
    cluster_files.change_under_lock(lambda: _delete_from_config(name_or_address))


def _delete_from_config(name_or_address: str) -> None:
    config = cluster_files.read_config()
    name, node_id = find_member(config, name_or_address)
    client.log(f"deleting node {name} from cluster", "notice", "root@pam", "pvecm")
    nodes = dict(config.nodes or {})
    del nodes[name]
    if node_id is not None:
        # Says "Could not kill node" for one that is already off; that is no reason to stop.
        run(["corosync-cfgtool", "-k", node_id], allow_failure=True)
    cluster_files.write_config(config.with_nodes(nodes))
