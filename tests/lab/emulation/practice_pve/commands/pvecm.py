# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvecm: the cluster manager's command line."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from practice_pve.cluster import cluster_files, locations
from practice_pve.cluster.join import join_over_api
from practice_pve.cluster.join_over_ssh import join_over_ssh
from practice_pve.cluster.local_files import lock_file
from practice_pve.cluster.parameters import FORCE, LINKS, NODE_ID, VOTES
from practice_pve.cluster.password import read_password
from practice_pve.cluster.peer_client import PeerError
from practice_pve.cluster.programs import run
from practice_pve.cluster.qdevice import remove_qdevice, set_up_qdevice
from practice_pve.cluster.tunnel import run_tunnel
from practice_pve.cluster.update_certificates import update_certificates
from practice_pve.rest import ApiError, Call, run_worker, worker_costs
from practice_pve.rest.command_line import Command, run_command
from practice_pve.rest.methods import Method
from practice_pve.rest.parameters import EXTRA_ARGS, FINGERPRINT_SHA256, Boolean, Integer, Text, optional

API = "PVE::API2::ClusterConfig"
OWN = "PVE::CLI::pvecm"


def main(argv: list[str]) -> int:
    os.environ["HOME"] = "/root"
    return run_command("pvecm", COMMANDS, argv)


def print_value(result: Any, _method: Method, _options: dict[str, Any]) -> None:
    print(result)


def generate_key(call: Call) -> None:
    path = call.params["filename"]
    if os.path.exists(path):
        raise ApiError(f"key file '{path}' already exists\n")
    if directory := os.path.dirname(path):
        os.makedirs(directory, exist_ok=True)
    run(["corosync-keygen", "-l", "-k", path])


def add(call: Call) -> None:
    """Ends with 0 whatever becomes of the worker: as the real one does."""
    if is_below_pmxcfs(working_directory()):
        raise ApiError("Navigate out of /etc/pve before running 'pvecm add', for example by running 'cd'.\n")
    parameters = dict(call.params)
    over_ssh = parameters.pop("use_ssh", False)

    def work(_upid: str) -> None:
        if over_ssh:
            join_over_ssh(parameters)
        else:
            _add_over_api(parameters)

    run_worker(call, "clusterjoin", "", work)


def _add_over_api(parameters: dict[str, Any]) -> None:
    password = read_password(f"Please enter superuser (root) password for '{parameters['hostname']}': ")
    try:
        with lock_file(locations.MEMBERSHIP_LOCK, 10):
            join_over_api(parameters, password)
    except PeerError as error:
        if error.status == 501:
            raise ApiError(
                "Remote side is not able to use API for Cluster join!\n"
                "Pass the 'use_ssh' switch or update the remote side.\n"
            ) from error
        raise


def working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def is_below_pmxcfs(directory: str) -> bool:
    return directory == locations.PMXCFS or directory.startswith(f"{locations.PMXCFS}/")


def show_status(_call: Call) -> None:
    cluster_files.require_config()
    try:
        totem = cluster_files.read_config().totem or {}
    except ApiError as error:
        print(error, file=sys.stderr, flush=True)
        totem = {}
    if totem:
        print("Cluster information\n-------------------")
        for label, key, default in (
            ("Name", "cluster_name", "UNKOWN?"),
            ("Config Version", "config_version", "-1"),
            ("Transport", "transport", "knet"),
            ("Secure auth", "secauth", "off"),
        ):
            print(f"{label + ':':<17} {totem.get(key, default)}")
        print()
    become(["corosync-quorumtool", "-siH"])


def show_nodes(_call: Call) -> None:
    cluster_files.require_config()
    become(["corosync-quorumtool", "-l"])


def set_expected_votes(call: Call) -> None:
    cluster_files.require_config()
    become(["corosync-quorumtool", "-e", str(call.params["expected"])])


def become(argv: list[str]) -> NoReturn:
    """Replace this process, so that the tool's output and exit code are the command's."""
    worker_costs.pay_call_cost("pvecm")
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(argv[0], argv)
    except FileNotFoundError:
        raise ApiError("") from None


def update_certs(call: Call) -> None:
    update_certificates(
        bool(call.params.get("force")),
        bool(call.params.get("silent")),
        bool(call.params.get("unmerge-known-hosts")),
    )


def tunnel(call: Call) -> None:
    run_tunnel(call.params)


def qdevice_setup(call: Call) -> None:
    set_up_qdevice(call.params["address"], bool(call.params.get("force")))


def qdevice_remove(_call: Call) -> None:
    remove_qdevice()


COMMANDS: dict[str, Any] = {
    "apiver": Command("GET", "/cluster/config/apiversion", output=print_value, group=API),
    "create": Command("POST", "/cluster/config", arguments=("clustername",), group=API),
    "addnode": Command("POST", "/cluster/config/nodes/{node}", arguments=("node",), group=API),
    "delnode": Command("DELETE", "/cluster/config/nodes/{node}", arguments=("node",), group=API),
    "keygen": Command(
        function=generate_key,
        arguments=("filename",),
        parameters={"filename": Text(description="Output file name")},
        group=OWN,
        description="Generate new cryptographic key for corosync.",
    ),
    "add": Command(
        function=add,
        arguments=("hostname",),
        parameters={
            "hostname": Text(description="Hostname (or IP) of an existing cluster member."),
            "nodeid": NODE_ID,
            "votes": VOTES,
            "force": FORCE,
            "fingerprint": optional(FINGERPRINT_SHA256),
            "use_ssh": Boolean(optional=True, description="Always use SSH to join, even if peer may do it over API."),
            **LINKS,
        },
        group=OWN,
        description="Adds the current node to an existing cluster.",
    ),
    "status": Command(function=show_status, group=OWN, description="Displays the local view of the cluster status."),
    "nodes": Command(function=show_nodes, group=OWN, description="Displays the local view of the cluster nodes."),
    "expected": Command(
        function=set_expected_votes,
        arguments=("expected",),
        parameters={"expected": Integer(minimum=1, description="Expected votes")},
        group=OWN,
        description="Tells corosync a new value of expected votes.",
    ),
    "updatecerts": Command(
        function=update_certs,
        parameters={
            "force": Boolean(optional=True, description="Force generation of new SSL certificate."),
            "silent": Boolean(optional=True, description="Ignore errors (i.e. when cluster has no quorum)."),
            "unmerge-known-hosts": Boolean(optional=True, default=False, description="Unmerge legacy SSH known hosts."),
        },
        group=OWN,
        description="Update node certificates (and generate all needed files/directories).",
    ),
    "mtunnel": Command(
        function=tunnel,
        arguments=("extra-args",),
        parameters={
            "get_migration_ip": Boolean(
                optional=True, default=False, description="return the migration IP, if configured"
            ),
            "migration_network": Text(
                format="CIDR",
                optional=True,
                description="the migration network used to detect the local migration IP",
            ),
            "run-command": Boolean(
                optional=True,
                description="Run a command with a tcp socket as standard input. The IP address and port are printed "
                "via this command's stdandard output first, each on a separate line.",
            ),
            "extra-args": EXTRA_ARGS,
        },
        group=OWN,
        description="Used by VM/CT migration - do not use manually.",
    ),
    "qdevice": {
        "setup": Command(
            function=qdevice_setup,
            arguments=("address",),
            parameters={
                "address": Text(
                    format="ip", description="Specifies the network address of an external corosync QDevice"
                ),
                "network": Text(
                    format="CIDR",
                    optional=True,
                    description="The network which should be used to connect to the external qdevice",
                ),
                "force": Boolean(optional=True, description="Do not throw error on possible dangerous operations."),
            },
            group=OWN,
            description="Setup the use of a QDevice",
        ),
        "remove": Command(function=qdevice_remove, group=OWN, description="Remove a configured QDevice"),
    },
}
