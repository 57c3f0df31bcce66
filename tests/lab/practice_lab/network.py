# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: one controller namespace with a bridge per link, one namespace per node.

The host has no address in any of it and no route to it. Programs that shall reach the nodes run in the controller
namespace ("lab exec"), whose bridges carry the gateway addresses; it routes between subnets like a router would.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from .completed import must_run, run_program
from .errors import LabError
from .places import NETNS_DIRECTORY, lab_namespace, node_identifier
from .spec import LabSpec, NodeSpec

MANAGEMENT_NIC = "eno1"


def nic(link: int) -> str:
    """Name of a node's network card on a link, as a real machine's firmware would name it."""
    return f"eno{link + 1}"


def port(node: NodeSpec, link: int) -> str:
    """Name of the bridge port in the controller namespace that a node's card is plugged into."""
    return f"n{node.index}l{link}"


def bridge(link: int) -> str:
    return f"link{link}"


def namespaces() -> list[str]:
    return sorted(path.name for path in NETNS_DIRECTORY.glob("*")) if NETNS_DIRECTORY.is_dir() else []


def gateways(spec: LabSpec) -> dict[IPv4Network, IPv4Interface]:
    """The controller's address in every subnet of the management link: a node's gateway, else a free address."""
    taken = {IPv4Interface(node.address).ip for node in spec.nodes}
    result: dict[IPv4Network, IPv4Interface] = {}
    for node in spec.nodes:
        network = IPv4Interface(node.address).network
        if node.gateway and IPv4Address(node.gateway) in network and IPv4Address(node.gateway) not in taken:
            result[network] = IPv4Interface(f"{node.gateway}/{network.prefixlen}")
    for network in {IPv4Network(spec.networks[0]), *(IPv4Interface(node.address).network for node in spec.nodes)}:
        if network not in result:
            candidates = (
                network.network_address + 1,
                network.broadcast_address - 1,
                *reversed(list(network.hosts())[:4096]),
            )
            free = next((address for address in candidates if address not in taken), None)
            if free is None:
                raise LabError(f"no address left for the controller in {network}")
            result[network] = IPv4Interface(f"{free}/{network.prefixlen}")
    return result


def ensure_controller(lab: str, spec: LabSpec) -> None:
    """Create or complete the controller namespace: bridges, their addresses, routing."""
    name = lab_namespace(lab)
    if name not in namespaces():
        must_run(["ip", "netns", "add", name])
    links = 1 + max([len(spec.networks) - 1, *(len(node.links) for node in spec.nodes)])
    existing = run_program(["ip", "-n", name, "-br", "link", "show", "type", "bridge"]).stdout.split()
    batch = ["link set lo up"]
    for link in range(links):
        if bridge(link) not in existing:
            # No spanning tree and no forward delay: a port passes frames at once. No snooping: there is no querier.
            batch.append(f"link add {bridge(link)} type bridge forward_delay 0 stp_state 0 mcast_snooping 0")
        # Without an address of its own a bridge takes a port's, and a changed one would cut off the nodes that know the old.
        batch.append(f"link set {bridge(link)} address 02:50:4c:00:00:{link:02x} up")
    for address in gateways(spec).values():
        batch.append(f"addr replace {address} dev {bridge(0)}")
    for link, network in enumerate(spec.networks[1:], start=1):
        subnet = IPv4Network(network)
        batch.append(f"addr replace {subnet.network_address + 1}/{subnet.prefixlen} dev {bridge(link)}")
    _ip_batch(name, batch)
    must_run(["ip", "netns", "exec", name, "sh", "-c", _CONTROLLER_SYSCTLS])


# Redirects would teach nodes in different subnets a short cut that the real network does not have.
_CONTROLLER_SYSCTLS = """
cd /proc/sys/net/ipv4
echo 1 >ip_forward
echo 0 >conf/all/send_redirects; echo 0 >conf/default/send_redirects
for f in conf/link*/send_redirects; do echo 0 >"$f"; done
"""


def ensure_node(lab: str, spec: LabSpec, node: NodeSpec) -> None:
    """Create a node's namespace with its cards plugged into the lab's bridges and vmbr0 on the first one."""
    name, controller = node_identifier(lab, node.name), lab_namespace(lab)
    if name not in namespaces():
        must_run(["ip", "netns", "add", name])
    existing = {line.split("@")[0].split()[0] for line in must_run(["ip", "-n", name, "-br", "link"]).splitlines()}
    outside: list[str] = []
    inside = ["link set lo up"]
    for link, address in enumerate(node.interfaces()):
        if nic(link) not in existing:
            outside.append(f"link add {port(node, link)} type veth peer name {nic(link)} netns {name}")
            outside.append(f"link set {port(node, link)} master {bridge(link)}")  # up while the node is on
        inside.append(f"link set {nic(link)} up")
        if link:
            inside.append(f"addr replace {address} brd + dev {nic(link)}")
    if "vmbr0" not in existing:
        inside.append("link add vmbr0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0")
        inside.append(f"link set {nic(0)} master vmbr0")
    inside.append(f"addr replace {node.address} brd + dev vmbr0")
    inside.append("link set vmbr0 up")
    gateway = gateways(spec)[IPv4Interface(node.address).network]
    inside.append(f"route replace default via {gateway.ip} dev vmbr0 onlink")
    if outside:
        _ip_batch(controller, outside)
    _ip_batch(name, inside)


def delete_namespace(name: str) -> None:
    """Remove a namespace's name; its devices go with its last process."""
    run_program(["ip", "netns", "del", name])


def interfaces_file(spec: LabSpec, node: NodeSpec) -> str:
    """/etc/network/interfaces as PVE's installer writes it."""
    gateway = gateways(spec)[IPv4Interface(node.address).network]
    text = f"auto lo\niface lo inet loopback\n\niface {nic(0)} inet manual\n\nauto vmbr0\niface vmbr0 inet static\n"
    text += (
        f"\taddress {node.address}\n\tgateway {gateway.ip}\n\tbridge-ports {nic(0)}\n\tbridge-stp off\n\tbridge-fd 0\n"
    )
    for link, address in enumerate(node.interfaces()):
        if link:
            text += f"\nauto {nic(link)}\niface {nic(link)} inet static\n\taddress {address}\n"
    return text + "\n\nsource /etc/network/interfaces.d/*\n"


def _ip_batch(namespace: str, lines: list[str]) -> None:
    must_run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(lines) + "\n")
