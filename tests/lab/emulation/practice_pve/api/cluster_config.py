# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cluster/config: create, join, nodes, and what a joiner has to know."""

from __future__ import annotations

import os
import socket
from typing import Any

from practice_pve.cluster import cluster_files, locations
from practice_pve.cluster.addresses import node_address
from practice_pve.cluster.certificates import node_fingerprint
from practice_pve.cluster.join import join_over_api
from practice_pve.cluster.joinable import JOIN_API_VERSION
from practice_pve.cluster.links import extract_links
from practice_pve.cluster.local_files import lock_file
from practice_pve.cluster.membership import add_node, create_cluster, delete_node
from practice_pve.cluster.node_list import Addition
from practice_pve.cluster.parameters import FORCE, LINKS, NODE_ID, VOTES
from practice_pve.rest import ApiError, Call, Check, api_method, run_worker
from practice_pve.rest.parameters import (
    FINGERPRINT_SHA256,
    NODE,
    Array,
    Integer,
    Null,
    Object,
    Parameter,
    Text,
)

AUDIT = Check("perm", "/", ["Sys.Audit"])
QDEVICE_SOCKET = "/var/run/corosync-qdevice/corosync-qdevice.sock"
QDEVICE_KEYS = ("Algorithm", "Echo reply", "Last poll call", "Model", "QNetd host", "State", "Tie-breaker")


@api_method(
    "GET",
    "/cluster/config",
    permissions=AUDIT,
    returns=Array(items=Object(properties={})),
    child_link="name",
    description="Directory index.",
)
def index(_call: Call) -> list[dict[str, str]]:
    return [{"name": name} for name in ("nodes", "totem", "join", "qdevice", "apiversion")]


@api_method(
    "GET",
    "/cluster/config/apiversion",
    permissions=AUDIT,
    returns=Integer(),
    description="Return the version of the cluster join API available on this node.",
)
def api_version(_call: Call) -> int:
    return JOIN_API_VERSION


@api_method(
    "POST",
    "/cluster/config",
    protected=True,
    parameters={
        "clustername": Text(format="pve-node", max_length=15, description="The name of the cluster."),
        "nodeid": NODE_ID,
        "votes": Integer(minimum=1, optional=True, description="Number of votes for this node."),
        "token-coefficient": Integer(
            default=125,
            minimum=0,
            optional=True,
            description="Coefficient used to determine Corosync's token timeout. See the corosync.conf(5) manual for "
            "more details.",
        ),
        **LINKS,
    },
    returns=Text(),
    description="Generate new cluster configuration. If no links given, default to local IP address as link0.",
)
def create(call: Call) -> str:
    if os.path.isfile(locations.CLUSTER_CONFIG):
        raise ApiError(f"cluster config '{locations.CLUSTER_CONFIG}' already exists\n")
    parameters = call.params

    def work(_upid: str) -> None:
        create_cluster(
            parameters["clustername"],
            extract_links(parameters),
            parameters.get("nodeid"),
            parameters.get("votes"),
            parameters.get("token-coefficient", 125),
        )

    return run_worker(call, "clustercreate", parameters["clustername"], work)


@api_method(
    "GET",
    "/cluster/config/nodes",
    permissions=AUDIT,
    returns=Array(items=Object(properties={"node": Text()})),
    child_link="node",
    description="Corosync node list.",
)
def nodes(_call: Call) -> list[dict[str, Any]]:
    return [{**node, "node": name} for name, node in (cluster_files.read_config().nodes or {}).items()]


@api_method(
    "POST",
    "/cluster/config/nodes/{node}",
    protected=True,
    parameters={
        "node": NODE,
        "nodeid": NODE_ID,
        "votes": VOTES,
        "force": FORCE,
        "new_node_ip": Text(
            format="ip",
            optional=True,
            description="IP Address of node to add. Used as fallback if no links are given.",
        ),
        "apiversion": Integer(optional=True, description="The JOIN_API_VERSION of the new node."),
        **LINKS,
    },
    returns=Object(properties={"corosync_authkey": Text(), "corosync_conf": Text(), "warnings": Array(items=Text())}),
    description="Adds a node to the cluster configuration. This call is for internal use.",
)
def addnode(call: Call) -> dict[str, Any]:
    parameters = call.params
    return add_node(
        Addition(
            node=parameters["node"],
            links=extract_links(parameters),
            node_id=parameters.get("nodeid"),
            votes=parameters.get("votes"),
            force=bool(parameters.get("force")),
            new_node_ip=parameters.get("new_node_ip"),
            api_version=parameters.get("apiversion", 0),
        )
    )


@api_method(
    "DELETE",
    "/cluster/config/nodes/{node}",
    protected=True,
    parameters={"node": NODE},
    returns=Null(),
    description="Removes a node from the cluster configuration.",
)
def delnode(call: Call) -> None:
    delete_node(call.params["node"])


@api_method(
    "GET",
    "/cluster/config/join",
    permissions=AUDIT,
    parameters={
        "node": Parameter(
            format="pve-node",
            optional=True,
            default="current connected node",
            description="The node for which the joinee gets the nodeinfo. ",
        )
    },
    returns=Object(
        properties={"nodelist": Array(), "preferred_node": Text(), "totem": Object(), "config_digest": Text()}
    ),
    description="Get information needed to join this cluster over the connected node.",
)
def join_info(call: Call) -> dict[str, Any]:
    config = cluster_files.read_config()
    if config.main is None:
        raise _no_cluster(call)
    preferred = call.params.get("node") or call.node
    members = config.nodes or {}
    if preferred not in members:
        raise ApiError(f"unknown node '{preferred}'\n")
    described = [
        {**node, "pve_fp": node_fingerprint(name), "pve_addr": node_address(name)} for name, node in members.items()
    ]
    return {
        "nodelist": described,
        "preferred_node": preferred,
        "totem": config.totem or {},
        "config_digest": config.digest,
    }


def _no_cluster(call: Call) -> ApiError:
    """The real text has no line end, so that Perl adds the place to it where it reaches a terminal."""
    error = ApiError("node is not in a cluster, no join info available!", status=424, exit_code=2)
    if call.environment == "cli":
        error.message = f"{error} at /usr/share/perl5/PVE/API2/ClusterConfig.pm line 588\n"
    else:
        error.message = str(error)
    return error


@api_method(
    "POST",
    "/cluster/config/join",
    protected=True,
    parameters={
        "hostname": Text(description="Hostname (or IP) of an existing cluster member."),
        "nodeid": NODE_ID,
        "votes": VOTES,
        "force": FORCE,
        "fingerprint": FINGERPRINT_SHA256,
        "password": Text(max_length=128, description="Superuser (root) password of peer node."),
        **LINKS,
    },
    returns=Text(),
    description="Joins this node into an existing cluster. If no links are given, default to IP resolved by node's "
    "hostname on single link (fallback fails for clusters with multiple links).",
)
def join(call: Call) -> str:
    parameters = dict(call.params)
    password = parameters.pop("password")

    def work(_upid: str) -> None:
        with lock_file(locations.MEMBERSHIP_LOCK, 10):
            join_over_api(parameters, password)

    return run_worker(call, "clusterjoin", None, work)


@api_method(
    "GET",
    "/cluster/config/totem",
    permissions=AUDIT,
    returns=Object(properties={}),
    description="Get corosync totem protocol settings.",
)
def totem(_call: Call) -> dict[str, Any] | None:
    return cluster_files.read_config().totem


@api_method(
    "GET",
    "/cluster/config/qdevice",
    permissions=AUDIT,
    protected=True,
    returns=Object(),
    description="Get QDevice status",
)
def qdevice(_call: Call) -> dict[str, str]:
    if not os.path.exists(QDEVICE_SOCKET):
        return {}
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(QDEVICE_SOCKET)
            connection.sendall(b"status verbose\n")
            with connection.makefile(encoding="utf-8", errors="replace") as answer:
                return parse_qdevice_status(answer.read())
    except OSError:
        return {}


def parse_qdevice_status(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        if separator and not line[:1].isspace() and key.strip() in QDEVICE_KEYS:
            found[key.strip()] = value.strip()
    return found
