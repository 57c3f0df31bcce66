# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an Ansible inventory to a lab of look-alikes: same names, addresses, links, passwords and versions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from .errors import LabError
from .spec import LabSpec, NodeSpec

LINK_NAMES = tuple(f"link{number}" for number in range(8))


@dataclass
class Lookalikes:
    """The lab, the inventory's name of each node, and what could not be made alike."""

    spec: LabSpec
    hosts: dict[str, NodeSpec] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def lookalikes(inventory: Mapping[str, Any], group: str = "proxmox_cluster") -> Lookalikes:
    """C(inventory): what ansible-inventory --list prints."""
    hosts = hosts_of(inventory, group)
    if not hosts:
        raise LabError(f"the inventory has no hosts in the group {group}")
    variables = inventory.get("_meta", {}).get("hostvars", {})
    names = {str(variables.get(host, {}).get("cluster_name", "pve-cluster")) for host in hosts}
    result = Lookalikes(LabSpec(networks=["10.99.0.0/24"], cluster_name=min(names)))
    for host in hosts:
        node = _node(host, variables.get(host, {}), result.notes)
        if result.spec.has(node.name):
            # Two nodes of one name cannot be told apart by the lab; the preflight is tried on them with "lab fault".
            raise LabError(f"{host}: another host of the inventory is called {node.name} as well")
        result.spec.add(node)
        result.hosts[host] = node
    return result


def hosts_of(inventory: Mapping[str, Any], group: str) -> list[str]:
    """The hosts of a group and of its children, in the inventory's order, each once."""
    found: list[str] = []
    content = inventory.get(group, {})
    for host in content.get("hosts", []):
        found.append(host)
    for child in content.get("children", []):
        found += hosts_of(inventory, child)
    return list(dict.fromkeys(found))


def _node(host: str, variables: Mapping[str, Any], notes: list[str]) -> NodeSpec:
    full_name = str(variables.get("hostname") or host)
    name, _dot, domain = full_name.partition(".")
    address = str(variables.get("ansible_host") or host)
    if not _is_address(address):
        notes.append(
            f"{host}: '{address}' is a name; the look-alike gets an address of its own, known under that name here."
        )
        address = ""
    if variables.get("ansible_user", "root") != "root":
        notes.append(f"{host}: look-alikes know the user root only, not {variables['ansible_user']}.")
    if str(variables.get("ansible_port", "22")) != "22":
        notes.append(f"{host}: look-alikes listen on port 22, not {variables['ansible_port']}.")
    settings = {"pve_version": str(variables["pve_version"])} if variables.get("pve_version") else {}
    password = variables.get("ansible_password") or variables.get("ansible_ssh_pass")
    if not password:
        notes.append(
            f"{host}: no password in the inventory; the rehearsal's key is let in, as yours is on the real node."
        )
    return NodeSpec(
        name=name,
        address=address,
        domain=domain,
        password=str(password or "pvelab"),
        links=[link for link in _link_addresses(variables) if link != address],
        settings=settings,
    )


def _link_addresses(variables: Mapping[str, Any]) -> list[str]:
    given = [str(variables[name]).split(",")[0].removeprefix("address=") for name in LINK_NAMES if variables.get(name)]
    return given + [str(entry["address"]) for entry in variables.get("cluster_links") or []]


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
