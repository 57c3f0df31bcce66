# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on the wire: cuts, loss and a too small MTU, by nftables on the bridge port that the node is plugged into.

The node cannot see or undo them. One nftables table per fault, so that faults add up and heal one by one.
"""

from __future__ import annotations

from typing import Any

from ..completed import must_run, run_program
from ..network import bridge, nic, port
from .base import Case, Fault, FaultRefused, Parameter

LINK = Parameter("link", "number of the network (0: management); default: all", int)
DIRECTION = Parameter(
    "direction", "what the node sends (out), receives (in), or both", choices=("both", "in", "out"), default="both"
)


def links_of(case: Case) -> list[int]:
    count = len(case.node.spec.interfaces())
    chosen = case.options.get("link")
    if chosen is None:
        return list(range(count))
    if not 0 <= chosen < count:
        raise FaultRefused(f"{case.node.name} has no link {chosen}")
    return [chosen]


def table(case: Case) -> str:
    return f"fault{case.number}"


def block(case: Case, sent: list[str], received: list[str]) -> None:
    """Drop what the node sends or receives when one of the given nftables matches holds."""
    ports = ", ".join(f'"{port(case.node.spec, link)}"' for link in links_of(case))
    text = f"table bridge {table(case)} {{\n"
    text += " chain from_node {\n  type filter hook prerouting priority 0; policy accept;\n"
    if case.options["direction"] in ("both", "out"):
        text += "".join(f"  iifname {{ {ports} }} {match} counter drop\n" for match in sent)
    text += " }\n chain to_node {\n  type filter hook postrouting priority 0; policy accept;\n"
    if case.options["direction"] in ("both", "in"):
        text += "".join(f"  oifname {{ {ports} }} {match} counter drop\n" for match in received)
    text += " }\n}\n"
    must_run(["ip", "netns", "exec", case.lab.namespace, "nft", "-f", "-"], stdin=text)


class TrafficFault(Fault):
    """A fault whose whole trace is one nftables table."""

    outlives_reinstall = True

    def heal(self, case: Case) -> None:
        run_program(["ip", "netns", "exec", case.lab.namespace, "nft", "delete", "table", "bridge", table(case)])


class Cut(TrafficFault):
    name = "cut"
    help = "cut a node off: all links or one, both directions or one, everything or one protocol, port or peer"
    parameters = (
        LINK,
        DIRECTION,
        Parameter("protocol", "only this protocol", choices=("udp", "tcp", "icmp")),
        Parameter("port", "only this UDP or TCP port, as source or destination", int),
        Parameter("peer", "only traffic with this node"),
    )

    def apply(self, case: Case) -> dict[str, Any]:
        protocol, number, peer = (case.options[key] for key in ("protocol", "port", "peer"))
        layers = [f"meta l4proto {protocol}"] if protocol else []
        if number is not None and not protocol:
            layers = ["meta l4proto { tcp, udp }"]
        variants = [f"th dport {number}", f"th sport {number}"] if number is not None else [""]
        if not peer:
            matches = [" ".join([*layers, variant]).strip() for variant in variants]
            block(case, matches, matches)
            return {}
        # By address, not by the peer's port: between subnets the packets come through the controller.
        addresses = ", ".join(str(interface.ip) for interface in case.lab.spec().node(peer).interfaces())
        sent = [f"ip daddr {{ {addresses} }} {' '.join([*layers, variant])}".strip() for variant in variants]
        received = [f"ip saddr {{ {addresses} }} {' '.join([*layers, variant])}".strip() for variant in variants]
        if not layers:
            sent.append(f"arp daddr ip {{ {addresses} }}")
            received.append(f"arp saddr ip {{ {addresses} }}")
        block(case, sent, received)
        return {}


class Loss(TrafficFault):
    name = "loss"
    help = "lose a share of a node's packets at random"
    parameters = (Parameter("percent", "how many of 100 packets are lost, per direction", float, 20.0), LINK, DIRECTION)

    def apply(self, case: Case) -> dict[str, Any]:
        if not 0 < case.options["percent"] <= 100:
            raise FaultRefused("percent: more than 0, at most 100")
        match = f"numgen random mod 10000 < {round(case.options['percent'] * 100)}"
        block(case, [match], [match])
        return {}


class SmallMtu(TrafficFault):
    name = "mtu"
    help = "a path that silently swallows larger packets, while all cards still believe in 1500 bytes"
    parameters = (Parameter("bytes", "largest IP packet that still passes", int, 1400), LINK, DIRECTION)

    def apply(self, case: Case) -> dict[str, Any]:
        # Packets must pass the bridge as they would pass a wire: cut to size by the sender, not in bundles of 64 KiB.
        self._segment(case, 1)
        match = f"meta length > {case.options['bytes']}"
        block(case, [match], [match])
        return {}

    def heal(self, case: Case) -> None:
        super().heal(case)
        self._segment(case, 65535)

    @staticmethod
    def _segment(case: Case, segments: int) -> None:
        for link in links_of(case):
            for node in case.lab.nodes():
                if link < len(node.spec.interfaces()):
                    must_run(["ip", "-n", node.identifier, "link", "set", nic(link), "gso_max_segs", str(segments)])
            must_run(["ip", "-n", case.lab.namespace, "link", "set", bridge(link), "gso_max_segs", str(segments)])


FAULTS: list[Fault] = [Cut(), Loss(), SmallMtu()]
