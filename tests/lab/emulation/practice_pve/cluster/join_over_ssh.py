# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pvecm add --use_ssh`: join with root's SSH key instead of a password. No lock on this node, as on a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from practice_pve import settings
from practice_pve.cluster import locations
from practice_pve.cluster.addresses import node_address
from practice_pve.cluster.finish_join import finish_join
from practice_pve.cluster.join import announce_fallback, prepare_ssh
from practice_pve.cluster.joinable import assert_joinable, assert_we_can_join
from practice_pve.cluster.links import extract_links, format_link
from practice_pve.cluster.local_files import read_bytes, read_text
from practice_pve.cluster.programs import run
from practice_pve.rest.errors import ApiError


def join_over_ssh(parameters: Mapping[str, Any]) -> None:
    node = settings.nodename()
    local_address = node_address(node)
    links = extract_links(parameters)
    assert_joinable(local_address, links, bool(parameters.get("force")))
    prepare_ssh()
    host = str(parameters["hostname"])
    _copy_root_key(host)
    version = _ask_version(host)
    assert_we_can_join(version)
    # --force 1 always, and no apiversion: the member treats us as an old joiner and a single link as our address.
    command = ["ssh", host, "-o", "BatchMode=yes", "pvecm", "addnode", node, "--force", "1"]
    if parameters.get("nodeid"):
        command += ["--nodeid", str(parameters["nodeid"])]
    if parameters.get("votes") is not None:
        command += ["--votes", str(parameters["votes"])]
    for number, link in links.items():
        command += [f"--link{number}", format_link(link)]
    if not links:
        command += ["--link0" if version == 0 else "--new_node_ip", local_address]
        announce_fallback(local_address)
    sys.stdout.flush()
    if subprocess.run(command, check=False).returncode:
        raise ApiError(f"unable to add node: command failed ({' '.join(command)})\n")
    _fetch_and_finish(host, node)


def _copy_root_key(host: str) -> None:
    """ssh-copy-id with its output thrown away: an unknown host key is only "unable to copy ssh ID"."""
    run(["ssh-copy-id", "-i", locations.ROOT_KEY, f"root@{host}"], error_message="unable to copy ssh ID", quiet=True)


def _ask_version(host: str) -> int:
    lines: list[str] = []
    run(["ssh", host, "-o", "BatchMode=yes", "pvecm", "apiver"], on_line=lines.append, allow_failure=True)
    answer = lines[-1].strip() if lines else "0"
    return int(answer) if answer.isdigit() else 0


def _fetch_and_finish(host: str, node: str) -> None:
    directory = f"{locations.DATABASE_DIRECTORY}/.pvecm_add.tmp.{os.getpid()}"
    os.makedirs(directory, exist_ok=True)
    try:
        print("copy corosync auth key", flush=True)
        fetched = subprocess.run(
            [
                *("rsync", "--rsh=ssh -l root -o BatchMode=yes", "-lpgoq"),
                *(f"[{host}]:{locations.CLUSTER_KEY}", f"[{host}]:{locations.CLUSTER_CONFIG}", directory),
            ],
            check=False,
        )
        if fetched.returncode:
            raise ApiError(f"can't rsync data from host '{host}'\n")
        finish_join(node, read_text(f"{directory}/corosync.conf"), read_bytes(f"{directory}/authkey"))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
