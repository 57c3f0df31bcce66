# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local half of a join, the same for both ways: new configuration and key, empty database, quorum, certificate."""

from __future__ import annotations

import os
import sys
import time

from practice_pve import settings
from practice_pve.cluster import database, locations
from practice_pve.cluster.local_files import write_file
from practice_pve.cluster.node_files import make_local_files, update_certificates_and_ssh
from practice_pve.cluster.programs import run
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError


def finish_join(node: str, corosync_config: str, cluster_key: bytes) -> None:
    try:
        os.mkdir(locations.LOCAL_CLUSTER_DIRECTORY)
    except FileExistsError:
        pass
    write_file(locations.CLUSTER_KEY, cluster_key)
    write_file(locations.LOCAL_CLUSTER_CONFIG, corosync_config)
    print("stopping pve-cluster service", flush=True)
    run(["systemctl", "stop", "pve-cluster"], error_message="can't stop pve-cluster service")
    try:
        database.back_up_database()
    except ApiError as error:
        print(f"failed to create backup of pre-join config database - {error}", file=sys.stderr, flush=True)
        database.set_database_aside()
    else:
        database.discard_database()
    run(["systemctl", "start", "corosync", "pve-cluster"], error_message="starting pve-cluster failed")
    _wait_for_quorum()
    make_local_files()
    update_certificates_and_ssh(new_certificate=True)
    print("generated new node certificate, restart pveproxy and pvedaemon services", flush=True)
    run(["systemctl", "reload-or-restart", "pvedaemon", "pveproxy"])
    print(f"successfully added node '{node}' to cluster.", flush=True)


def _wait_for_quorum() -> None:
    """For ever. The answer comes before pmxcfs has the cluster's files: what is written next may be lost again."""
    interval = 1.0 if settings.get("join_costs", True) else 0.1
    waited = False
    while not client.is_quorate():
        if not waited:
            print("waiting for quorum...", end="", flush=True)
            waited = True
        time.sleep(interval)
    if waited:
        print("OK", flush=True)
