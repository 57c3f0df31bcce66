# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of a cluster as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: proxmox_guests
short_description: The virtual machines of a Proxmox VE cluster as hosts
version_added: 0.1.0
description:
  - Makes each virtual machine a host, with the address that its guest agent tells. Where the agent is silent, the address is what cloud-init was
    told (C(ipconfigN)), or else what the node's neighbour table has for the MAC addresses of its cards.
  - All agents are asked side by side. A hung one costs no more than its own time limit.
  - The file's name must end in C(proxmox_guests.yml) or C(proxmox_guests.yaml).
  - Besides those of the options there are groups V(node_NAME), V(pool_NAME), V(tag_NAME), V(os_ID), V(state_running) and the like, and
    V(agent_reason_ok), V(agent_reason_not_listening) and so on for each reason of M(baremetal.proxmox.guest_agent_facts).
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._session
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Must be V(baremetal.proxmox.proxmox_guests).
    type: str
    choices: [baremetal.proxmox.proxmox_guests]
    required: true
  transport:
    description:
      - V(ssh) runs the reading part on a node, over SSH and without leaving anything there.
      - V(api) means HTTPS, with the options whose names begin with C(api_).
      - V(local) is for a controller that is a node itself.
    type: str
    choices: [ssh, api, local]
    default: ssh
    env:
      - name: PROXMOX_TRANSPORT
  api_host:
    env:
      - name: PROXMOX_HOST
  api_port:
    env:
      - name: PROXMOX_PORT
  api_user:
    env:
      - name: PROXMOX_USER
  api_password:
    env:
      - name: PROXMOX_PASSWORD
  api_token_id:
    env:
      - name: PROXMOX_TOKEN_ID
  api_token_secret:
    env:
      - name: PROXMOX_TOKEN_SECRET
  validate_certs:
    env:
      - name: PROXMOX_VALIDATE_CERTS
  api_ca_path:
    env:
      - name: PROXMOX_CA_PATH
  api_fingerprint:
    env:
      - name: PROXMOX_FINGERPRINT
  api_timeout:
    env:
      - name: PROXMOX_TIMEOUT
  nodes:
    description:
      - Addresses of nodes for O(transport=ssh). The first one that can be reached is asked.
      - If none is given, the hosts of O(nodes_group) are asked, with their own users, ports and keys.
    type: list
    elements: str
    default: []
    env:
      - name: PROXMOX_NODES
  nodes_group:
    description: The group of nodes in the inventories that were given before this one.
    type: str
    default: proxmox_cluster
  ssh_user:
    description: Who logs in to the node.
    type: str
    default: root
  ssh_become:
    description: Whether O(ssh_user) becomes root by sudo, without a password.
    type: bool
    default: false
  ssh_port:
    description: The node's SSH port.
    type: int
  ssh_private_key_file:
    description: The private key. If it is not given, ssh chooses.
    type: path
    env:
      - name: ANSIBLE_PRIVATE_KEY_FILE
    ini:
      - section: defaults
        key: private_key_file
  ssh_args:
    description: Further arguments of ssh.
    type: str
    default: ""
    env:
      - name: ANSIBLE_SSH_ARGS
    ini:
      - section: ssh_connection
        key: ssh_args
  ssh_host_keys:
    description: The nodes' public host keys. If given, no other is accepted; else they must be in the known hosts.
    type: list
    elements: str
    default: []
  host_key_checking:
    description: Whether the nodes' host keys are checked.
    type: bool
    default: true
    env:
      - name: ANSIBLE_HOST_KEY_CHECKING
    ini:
      - section: defaults
        key: host_key_checking
  node:
    description: Only virtual machines on this node.
    type: str
  statuses:
    description: Only virtual machines in these states. Empty means all.
    type: list
    elements: str
    default: []
  family:
    description: Which family of addresses to prefer.
    type: str
    choices: [ipv4, ipv6]
    default: ipv4
  networks:
    description: Networks that the address must be in, best first, as for M(baremetal.proxmox.guest_agent_facts).
    type: list
    elements: str
    default: []
  exclude_interfaces:
    description: Patterns of names of interfaces in the guest whose addresses are not used.
    type: list
    elements: str
    default: []
  gather:
    description: What to ask the agents for beside the network, as for M(baremetal.proxmox.guest_agent_facts).
    type: list
    elements: str
    default: [os, hostname, info]
  max_parallel:
    description: How many guests to ask at a time.
    type: int
    default: 50
  group:
    description: The group of all virtual machines.
    type: str
    default: guests
  group_prefix:
    description: What the names of the groups by node, pool, tag, operating system, state and reason begin with.
    type: str
    default: ""
"""

EXAMPLES = r"""
# lab.proxmox_guests.yml: everything by default
plugin: baremetal.proxmox.proxmox_guests
nodes: [192.0.2.11, 192.0.2.12]

---
# production.proxmox_guests.yml: with a token, only one network, groups of one's own, and a cache
plugin: baremetal.proxmox.proxmox_guests
transport: api
api_host: 192.0.2.11
api_user: inventory@pve
api_token_id: ansible
api_fingerprint: "AA:BB:..."
networks: [192.0.2.0/24]
statuses: [running]
compose:
  ansible_user: "'debian' if proxmox_os == 'debian' else 'root'"
  # Guests without any address are reached through their agent.
  ansible_connection: "'ssh' if ansible_host is defined else 'baremetal.proxmox.proxmox_guest'"
keyed_groups:
  - key: proxmox_tags
    prefix: role
groups:
  silent: proxmox_agent_reason != 'ok'
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_timeout: 300
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.helpers import get_group_vars, sort_groups
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.opening import open_session
from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.access import NodeAccess, read_access
from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.channel import (
    Helper,
    HelperError,
    HelperHere,
    open_first,
)

_NODE_VARIABLES = ("ansible_host", "ansible_user", "ansible_port", "ansible_ssh_private_key_file")
WISHES = ("node", "statuses", "family", "networks", "exclude_interfaces", "gather", "max_parallel")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "baremetal.proxmox.proxmox_guests"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("proxmox_guests.yml", "proxmox_guests.yaml"))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        for guest in self._guests(self.get_cache_key(path), cache):
            self._add(guest, self._host_names[guest["vmid"]])

    def _guests(self, key: str, cache: bool) -> list[dict[str, Any]]:
        guests = None
        if cache and self.get_option("cache"):
            try:
                guests = self._cache[key]
            except KeyError:
                pass  # not there yet, or too old
        if guests is None:
            guests = self._ask()
            if self.get_option("cache"):
                self._cache[key] = guests
        self._host_names = name_hosts(guests)
        return list(guests)

    def _ask(self) -> list[dict[str, Any]]:
        wish = {name: self.get_option(name) for name in WISHES}
        # The address needs it, and costs nothing where it was asked for.
        wish["gather"] = sorted({*wish["gather"], "network"})
        helper: Helper
        try:
            if self.get_option("transport") == "ssh":
                helper = open_first(self._nodes())
            else:
                helper = HelperHere(open_session(self.get_options()))
            try:
                answer = helper.ask("inventory", **wish)
            finally:
                helper.close()
        except (HelperError, SessionError, ValueError) as error:
            raise AnsibleParserError(f"the guests of the cluster cannot be read: {error}") from error
        for warning in answer["warnings"]:
            self.display.warning(warning)
        return list(answer["guests"])

    def _nodes(self) -> Sequence[NodeAccess]:
        nodes: list[tuple[str, dict[str, Any]]] = [
            (node, {}) for node in self.get_option("nodes")
        ] or self._known_nodes()
        if not nodes:
            raise AnsibleParserError(
                "transport ssh needs a node: give nodes: [192.0.2.11], or an inventory with the group "
                f"{self.get_option('nodes_group')} before this one"
            )
        return [read_access(node, self.get_option, own) for node, own in nodes]

    def _known_nodes(self) -> list[tuple[str, dict[str, Any]]]:
        """The nodes of another inventory, with what it says of them; nothing that is a template counts."""
        if self.inventory is None:
            raise AssertionError
        group = self.inventory.groups.get(self.get_option("nodes_group"))
        found = []
        for host in group.get_hosts() if group else ():
            own = {**get_group_vars(sort_groups(host.get_groups())), **host.get_vars()}
            plain = {name: own[name] for name in _NODE_VARIABLES if "{{" not in str(own.get(name, "{{"))}
            found.append((str(plain.pop("ansible_host", host.name)), plain))
        return found

    def _add(self, guest: Mapping[str, Any], host: str) -> None:
        if self.inventory is None:
            raise AssertionError
        self.inventory.add_host(host)
        variables = host_variables(guest)
        if self.get_option("transport") == "ssh":
            variables |= way_to_nodes(self._nodes())
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        prefix = self.get_option("group_prefix")
        for group in [self.get_option("group"), *(prefix + name for name in group_names(guest))]:
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), host)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def name_hosts(guests: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The guest's name where it has one and is the only one of it, else with its number."""
    names = [guest["name"] for guest in guests]
    return {
        guest["vmid"]: guest["name"]
        if guest["name"] and names.count(guest["name"]) == 1
        else f"{guest['name'] or 'vm'}-{guest['vmid']}"
        for guest in guests
    }


def host_variables(guest: Mapping[str, Any]) -> dict[str, Any]:
    agent = guest["agent"]
    system = agent.get("os") or {}
    variables = {f"proxmox_{name}": guest[name] for name in ("vmid", "name", "node", "status", "pool", "tags")}
    variables |= {
        "proxmox_address_source": guest["address_source"],
        "proxmox_os": system.get("id"),
        "proxmox_agent": agent,
        "proxmox_agent_reason": agent["reason"],
        "proxmox_agent_remedy": agent["remedy"],
    }
    if guest["address"]:
        variables["ansible_host"] = guest["address"]
    return variables


def way_to_nodes(nodes: Sequence[NodeAccess]) -> dict[str, Any]:
    """So that the connection plugin proxmox_guest finds its way without further options."""
    first = nodes[0]
    told = {"user": first.user, "port": first.port, "private_key_file": first.private_key_file}
    return {
        "proxmox_nodes": [access.host for access in nodes],
        **{f"proxmox_ssh_{name}": value for name, value in told.items() if value},
    }


def group_names(guest: Mapping[str, Any]) -> list[str]:
    system = (guest["agent"].get("os") or {}).get("id")
    return [
        f"node_{guest['node']}",
        *([f"pool_{guest['pool']}"] if guest["pool"] else []),
        *(f"tag_{tag}" for tag in guest["tags"]),
        *([f"os_{system}"] if system else []),
        *([f"state_{guest['status']}"] if guest["status"] else []),
        f"agent_reason_{guest['agent']['reason']}",
    ]
