# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pvecm qdevice setup|remove`: a third vote from a real corosync-qnetd, reached over SSH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from practice_pve.cluster import cluster_files, locations
from practice_pve.cluster.corosync_config import CorosyncConfig
from practice_pve.cluster.programs import run
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError

STATE_DIRECTORY = "/etc/corosync/qdevice"
NODE_DATABASE = f"{STATE_DIRECTORY}/net/nssdb"
QNETD_DATABASE = "/etc/corosync/qnetd/nssdb"
CA_FILE = "qnetd-cacert.crt"
REQUEST_FILE = "qdevice-net-node.crq"
BUNDLE_FILE = "qdevice-net-node.p12"
NODE_TOOL = "corosync-qdevice-net-certutil"
SERVER_TOOL = "corosync-qnetd-certutil"
SSH = ("ssh", "-o", "BatchMode=yes", "-lroot")
SCP = ("scp", "-o", "BatchMode=yes")


def set_up_qdevice(address: str, force: bool) -> None:
    _require_all_online()
    config = cluster_files.read_config()
    if "device" in _quorum_section(config) and not force:
        raise ApiError("QDevice already configured!\n")
    algorithm = choose_algorithm(len(cluster_files.members()), force)
    run(["ssh-copy-id", "-i", locations.ROOT_KEY, f"root@{address}"])
    if os.path.isdir(NODE_DATABASE):
        if not force:
            raise ApiError("QDevice certificate store already initialised, set force to delete!\n")
        shutil.rmtree(NODE_DATABASE)
    _exchange_certificates(address, str((config.totem or {}).get("cluster_name")))
    print("\nINFO: add QDevice to cluster configuration", flush=True)
    with client.cfs_lock("file-corosync_conf", timeout=10):
        _add_device(address, algorithm)
    for node in _member_names():
        print(f"\nINFO: start and enable corosync qdevice daemon on node '{node}'...", flush=True)
        _run_on(node, ["systemctl", "start", "corosync-qdevice"])
        _run_on(node, ["systemctl", "enable", "corosync-qdevice"])
    run(["corosync-cfgtool", "-R"])


def remove_qdevice() -> None:
    _require_all_online()
    with client.cfs_lock("file-corosync_conf", timeout=10):
        config = cluster_files.read_config()
        quorum = _quorum_section(config)
        if "device" not in quorum:
            raise ApiError("No QDevice configured!\n")
        del quorum["device"]
        cluster_files.write_config(config)
        for node in _member_names():
            run([*ssh_command(node), "--", "rm", "-rf", STATE_DIRECTORY])
    for node in _member_names():
        run([*ssh_command(node), "--", "systemctl", "stop", "corosync-qdevice"])
        run([*ssh_command(node), "--", "systemctl", "disable", "corosync-qdevice"])
    run(["corosync-cfgtool", "-R"])
    print("\nRemoved Qdevice.")


def choose_algorithm(members: int, force: bool) -> str:
    """An even cluster gets one more vote (ffsplit); an odd one only by force, with members - 1 votes (lms)."""
    if members % 2 == 0:
        return "ffsplit"
    if force:
        return "lms"
    raise ApiError("Clusters with an odd node count are not officially supported!\n")


def device_section(address: str, algorithm: str) -> dict[str, Any]:
    section: dict[str, Any] = {"model": "net", "net": {"tls": "on", "host": address, "algorithm": algorithm}}
    if algorithm == "ffsplit":
        section["votes"] = "1"
    return section


def ssh_command(node: str) -> list[str]:
    """How PVE reaches another node: by address, checked against that node's pinned host key."""
    known_hosts = f"{locations.node_directory(node)}/ssh_known_hosts"
    pinned = ["-o", f"UserKnownHostsFile={known_hosts}", "-o", "GlobalKnownHostsFile=none"]
    address = cluster_files.member_address(node)
    if address is None:
        raise ApiError(f"cannot get the cluster IP for node '{node}'.\n")
    return [
        *("/usr/bin/ssh", "-e", "none", "-o", "BatchMode=yes", "-o", f"HostKeyAlias={node}"),
        *(pinned if os.path.isfile(known_hosts) else []),
        f"root@{address}",
    ]


def _exchange_certificates(address: str, cluster_name: str) -> None:
    print("\nINFO: initializing qnetd server", flush=True)
    run([*SSH, address, SERVER_TOOL, "-i"], allow_failure=True)
    print("\nINFO: copying CA cert and initializing on all nodes", flush=True)
    shared_ca = f"{locations.PMXCFS}/{CA_FILE}"
    run([*SCP, f"root@[{address}]:{QNETD_DATABASE}/{CA_FILE}", shared_ca])
    for node in _member_names():
        _run_on(node, [NODE_TOOL, "-i", "-c", shared_ca], allow_failure=True)
    os.unlink(shared_ca)
    print("\nINFO: generating cert request", flush=True)
    run([NODE_TOOL, "-r", "-n", cluster_name])
    print("\nINFO: copying exported cert request to qnetd server", flush=True)
    run([*SCP, f"{NODE_DATABASE}/{REQUEST_FILE}", f"root@[{address}]:/tmp"])
    print("\nINFO: sign and export cluster cert", flush=True)
    run([*SSH, address, SERVER_TOOL, "-s", "-c", f"/tmp/{REQUEST_FILE}", "-n", cluster_name])
    print("\nINFO: copy exported CRT", flush=True)
    certificate = f"cluster-{cluster_name}.crt"
    run([*SCP, f"root@[{address}]:{QNETD_DATABASE}/{certificate}", NODE_DATABASE])
    print("\nINFO: import certificate", flush=True)
    run([NODE_TOOL, "-M", "-c", f"{NODE_DATABASE}/{certificate}"])
    print("\nINFO: copy and import pk12 cert to all nodes", flush=True)
    run([*SCP, f"{NODE_DATABASE}/{BUNDLE_FILE}", f"{locations.PMXCFS}/"])
    for node in _member_names():
        _run_on(node, [NODE_TOOL, "-m", "-c", f"{locations.PMXCFS}/{BUNDLE_FILE}"])
    os.unlink(f"{locations.PMXCFS}/{BUNDLE_FILE}")


def _add_device(address: str, algorithm: str) -> None:
    config = cluster_files.read_config()
    quorum = _quorum_section(config)
    if "device" in quorum:
        raise ApiError("Qdevice already configured, must be removed before setting up new one!\n")
    quorum["device"] = device_section(address, algorithm)
    cluster_files.write_config(config)


def _quorum_section(config: CorosyncConfig) -> dict[str, Any]:
    section: dict[str, Any] = (config.main or {}).setdefault("quorum", {})
    return section


def _require_all_online() -> None:
    cluster_files.require_config()
    for name, node in sorted(cluster_files.members().items()):
        if not node.get("online"):
            raise ApiError(f"All nodes must be online! Node {name} is offline, aborting.\n")


def _member_names() -> list[str]:
    return sorted(cluster_files.members())


def _run_on(node: str, command: Sequence[str], allow_failure: bool = False) -> None:
    run([*ssh_command(node), "--", *command], on_line=_prefixed(node), allow_failure=allow_failure)


def _prefixed(node: str) -> Callable[[str], None]:
    def show(line: str) -> None:
        # The original forgets the line end after each line.
        print(f"\nnode '{node}': {line}", end="", flush=True)

    return show
