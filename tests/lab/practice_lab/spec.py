# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab shall look like: nodes with names, addresses and passwords, as a person or an inventory gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

from .errors import LabError

HOST_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,38}[a-zA-Z0-9])?")
FIRST_HOST = 10  # pve1 gets .11, pve2 .12, and so on


@dataclass
class NodeSpec:
    """One node. Only the name is needed; the lab fills in what is left empty."""

    name: str
    address: str = ""  # management address with prefix, "10.99.0.11/24"; without prefix: /24
    gateway: str = ""
    domain: str = "lab.local"
    password: str = "pvelab"
    links: list[str] = field(default_factory=list)  # addresses with prefix on the networks 1, 2, ...
    settings: dict[str, Any] = field(default_factory=dict)  # goes to /etc/practice-node.json
    index: int = 0  # number of the node in its lab; names its ports

    def __post_init__(self) -> None:
        if not HOST_NAME.fullmatch(self.name):
            raise LabError(f"node name {self.name!r}: use letters, digits and inner dashes, at most 40")
        if self.address:
            self.address = with_prefix(self.address)
        self.links = [with_prefix(link) for link in self.links]

    @property
    def ip(self) -> str:
        return str(IPv4Interface(self.address).ip)

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.domain}" if self.domain else self.name

    def interfaces(self) -> list[IPv4Interface]:
        """The addresses by network: number 0 is management."""
        return [IPv4Interface(text) for text in (self.address, *self.links)]


@dataclass
class LabSpec:
    """A whole lab as stored in lab.json and as read from "lab up --spec FILE"."""

    nodes: list[NodeSpec] = field(default_factory=list)
    networks: list[str] = field(default_factory=lambda: ["10.99.0.0/24"])  # 0 is management
    domain: str = "lab.local"
    password: str = "pvelab"
    settings: dict[str, Any] = field(default_factory=dict)  # defaults for every node's practice-node.json
    cluster_name: str = "labcluster"

    def __post_init__(self) -> None:
        try:
            self.networks = [str(IPv4Network(network)) for network in self.networks]
        except ValueError as error:
            raise LabError(f"network: {error}") from error

    def node(self, name: str) -> NodeSpec:
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes) or "none"
        raise LabError(f"no node {name!r} in this lab (there are: {known})")

    def has(self, name: str) -> bool:
        return any(node.name == name for node in self.nodes)

    def add(self, node: NodeSpec) -> NodeSpec:
        """Complete a node's description from the lab's and take it in."""
        node.index = 1 + max((other.index for other in self.nodes), default=0)
        taken = {interface.ip for other in self.nodes for interface in other.interfaces()}
        if not node.address:
            node.address = str(self._free_address(node.name, IPv4Network(self.networks[0]), taken))
        host = int(IPv4Interface(node.address).ip) - int(IPv4Interface(node.address).network.network_address)
        for number, text in enumerate(self.networks[1:], start=1):
            if len(node.links) < number:
                network = IPv4Network(text)
                node.links.append(f"{network.network_address + host % network.num_addresses}/{network.prefixlen}")
        for interface in node.interfaces():
            if interface.ip in taken:
                raise LabError(f"address {interface.ip} of {node.name} is taken by another node of this lab")
        self.nodes.append(node)
        return node

    @staticmethod
    def _free_address(name: str, network: IPv4Network, taken: Iterable[object]) -> IPv4Interface:
        number = re.search(r"(\d+)$", name)
        wish = FIRST_HOST + (int(number.group()) if number else 1)
        for host in (*range(wish, network.num_addresses - 1), *range(2, wish)):
            address = network.network_address + host
            if address not in taken and address in network:
                return IPv4Interface(f"{address}/{network.prefixlen}")
        raise LabError(f"no free address left in {network}")

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> LabSpec:
        """Read a description; unknown keys are refused, because a mistyped one would silently change nothing."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise LabError(f"lab description: {error}") from error
        if not isinstance(raw, dict):
            raise LabError("lab description: expected a JSON object")
        nodes = [dict(node) if isinstance(node, dict) else {"name": node} for node in raw.pop("nodes", [])]
        spec = cls(**_only_known(cls, raw))
        spec.nodes = [NodeSpec(**_only_known(NodeSpec, {**spec.node_defaults(), **node})) for node in nodes]
        return spec

    def node_defaults(self) -> dict[str, Any]:
        return {"domain": self.domain, "password": self.password}


def _only_known(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    unknown = set(values) - {item.name for item in fields(kind)}
    if unknown:
        raise LabError(f"lab description: unknown key {', '.join(sorted(unknown))}")
    return values


def with_prefix(text: str) -> str:
    try:
        return str(IPv4Interface(text if "/" in text else f"{text}/24"))
    except ValueError as error:
        raise LabError(f"address {text!r}: {error}") from error


def read_spec(path: Path) -> LabSpec:
    try:
        return LabSpec.from_json(path.read_text())
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error
