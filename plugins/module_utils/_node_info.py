# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says about itself as a Proxmox VE node: is it one, which version, its name, its cluster, its services.

This file is private to the collection and may change without notice.

Only reads. Everything it reads comes through a C(Host), so that the judgement is a pure function of what was read.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

SERVICES = (
    "corosync",
    "pve-cluster",
    "pvedaemon",
    "pveproxy",
    "pvestatd",
    "pve-ha-crm",
    "pve-ha-lrm",
    "watchdog-mux",
)
# Seconds. A wedged cluster file system blocks its readers for ever, so they are processes that can be ended.
DEADLINE = 10


@dataclass(frozen=True)
class Answer:
    """What a command said; no status at all when it is not there or did not end in time."""

    status: int | None
    text: str = ""


class Host:
    """The host that this code runs on."""

    def run(self, *command: str) -> Answer:
        try:
            # Not run_command: below a module there is no AnsibleModule, and this one has to end in time.
            ended = subprocess.run(  # pylint: disable=ansible-bad-function
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=DEADLINE,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired):
            return Answer(None)
        return Answer(ended.returncode, ended.stdout)

    def name(self) -> str:
        """The node's name as Proxmox VE has it: the host name up to the first dot."""
        return os.uname().nodename.partition(".")[0]

    def kernel(self) -> str:
        return os.uname().release

    def mounts(self) -> str:
        return Path("/proc/self/mounts").read_text(encoding="utf-8")

    def resolve(self, name: str) -> list[str]:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except socket.gaierror:
            return []
        # A link-local address comes with the name of its interface; what counts is the address.
        return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))

    def has_address(self, address: str) -> bool:
        """Whether the address is this host's own: only such a one can be bound."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                return False
        return True


@dataclass(frozen=True)
class Member:
    name: str
    node_id: int
    online: bool
    address: str | None


@dataclass(frozen=True)
class Cluster:
    name: str
    quorate: bool
    nodes: list[Member]


@dataclass
class NodeInfo:
    installed: bool
    name: str
    kernel: str
    addresses: list[str]
    version: str | None = None
    major: int | None = None
    # standalone, member, or unknown when the cluster file system does not answer; none without Proxmox VE
    membership: str = "none"
    cluster: Cluster | None = None
    services: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        return asdict(self)


def parse_pveversion(text: str) -> str | None:
    """C(pve-manager/9.2.11/0123456789abcdef (running kernel: 7.0.2-1-pve)) -> C(9.2.11)."""
    match = re.match(r"pve-manager/([^/\s]+)", text)
    return match[1] if match else None


def parse_members(text: str) -> Cluster | None:
    """What pmxcfs tells in C(/etc/pve/.members); None on a node without a cluster. ValueError: not its words."""
    answer = json.loads(text)
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    cluster = answer.get("cluster")
    if cluster is None:
        return None
    nodes = [
        Member(name, int(node["id"]), bool(node["online"]), node.get("ip"))
        for name, node in answer.get("nodelist", {}).items()
    ]
    return Cluster(str(cluster["name"]), bool(cluster["quorate"]), sorted(nodes, key=lambda node: node.node_id))


def is_pmxcfs_mounted(mounts: str) -> bool:
    return any(line.split(" ")[1:3] == ["/etc/pve", "fuse"] for line in mounts.splitlines())


def problems_of_addresses(host: Host, name: str, addresses: list[str]) -> list[str]:
    """Why Proxmox VE would not be content with what the node's own name resolves to."""
    if not addresses:
        return [f"The name {name} does not resolve: it needs a line with the node's address in /etc/hosts."]
    outside = [address for address in addresses if not ip_address(address).is_loopback]
    if not outside:
        return [
            f"The name {name} resolves to {', '.join(addresses)} only: /etc/hosts has to name the address that others"
            " reach the node at (a line with 127.0.1.1 is what usually hides it)."
        ]
    foreign = [address for address in outside if not host.has_address(address)]
    return [f"The name {name} resolves to {address}, which no interface of this node has." for address in foreign]


def installed_version(host: Host) -> str | None:
    """Ask the package database first (0.01 s); pveversion starts Perl, but also knows what dpkg does not."""
    packaged = host.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", "pve-manager")
    status, _space, version = packaged.text.partition(" ")
    if packaged.status == 0 and status == "installed" and version:
        return version
    answer = host.run("pveversion")
    return parse_pveversion(answer.text) if answer.status == 0 else None


def service_states(host: Host) -> dict[str, str]:
    answer = host.run("systemctl", "is-active", *SERVICES)
    states = answer.text.split()
    if len(states) != len(SERVICES):
        return {}
    return dict(zip(SERVICES, states, strict=True))


def read_membership(host: Host, info: NodeInfo) -> None:
    """Fill in C(membership), C(cluster) and what is wrong with the cluster file system."""
    info.membership = "unknown"
    if not is_pmxcfs_mounted(host.mounts()):
        info.problems.append("The cluster file system is not mounted at /etc/pve: is pve-cluster running?")
        return
    members = host.run("cat", "/etc/pve/.members")
    if members.status is None:
        info.problems.append(f"/etc/pve did not answer within {DEADLINE} seconds.")
        return
    try:
        info.cluster = parse_members(members.text)
    except (KeyError, TypeError, ValueError):
        info.problems.append("/etc/pve/.members is not what pmxcfs writes.")
        return
    # A node that has just become a member has corosync.conf before pmxcfs counts it in.
    has_configuration = host.run("test", "-e", "/etc/pve/corosync.conf").status == 0
    info.membership = "member" if info.cluster or has_configuration else "standalone"
    if info.cluster and not info.cluster.quorate:
        info.problems.append(f"The cluster {info.cluster.name} has no quorum here: /etc/pve is read-only.")


def node_info(host: Host) -> NodeInfo:
    name = host.name()
    addresses = host.resolve(name)
    version = installed_version(host)
    info = NodeInfo(installed=version is not None, name=name, kernel=host.kernel(), addresses=addresses)
    if version is None:
        return info
    info.version = version
    info.major = int(version.partition(".")[0]) if version.partition(".")[0].isdecimal() else None
    info.services = service_states(host)
    info.problems += problems_of_addresses(host, name, addresses)
    read_membership(host, info)
    return info
