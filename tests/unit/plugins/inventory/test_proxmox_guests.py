# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as ansible-inventory runs it; only the way to the node is replaced."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader

from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.channel import NotReached

NAME = "baremetal.proxmox.proxmox_guests"


def guest(vmid, name, **more):
    agent = {"reason": "ok", "remedy": "", "os": {"id": "debian"}, **more.pop("agent", {})}
    base = {"node": "pve1", "status": "running", "pool": None, "tags": [], "address": None, "address_source": ""}
    return {**base, "vmid": vmid, "name": name, "agent": agent, **more}


GUESTS = [
    guest(100, "web1", address="192.0.2.11", address_source="agent", pool="web", tags=["prod", "x-1"]),
    guest(101, "same", agent={"reason": "not_listening", "remedy": "install it", "os": None}),
    guest(102, "same", status="stopped", agent={"reason": "vm_stopped", "os": None}),
    guest(103, "", address="192.0.2.13", address_source="neighbours"),
]


class FakeHelper:
    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.closed = 0

    def ask(self, request, **arguments):
        self.asked.append((request, arguments))
        return {"guests": GUESTS, "warnings": []}

    def close(self):
        self.closed += 1


@pytest.fixture
def helper():
    return FakeHelper()


@pytest.fixture
def load(monkeypatch, tmp_path, helper):
    def play(text="nodes: [192.0.2.1]\n", helper=helper, known=None):
        path = tmp_path / "lab.proxmox_guests.yml"
        path.write_text(f"plugin: {NAME}\n{text}", encoding="utf-8")
        plugin = inventory_loader.get(NAME)
        nodes = []

        def open_first(given):
            nodes.extend((access.host, access.user) for access in given)
            if isinstance(helper, Exception):
                raise helper
            return helper

        monkeypatch.setitem(type(plugin)._ask.__globals__, "open_first", open_first)
        inventory = InventoryData()
        for name, variables in (known or {}).items():
            inventory.add_host(name, inventory.add_group("proxmox_cluster"))
            for key, value in variables.items():
                inventory.set_variable(name, key, value)
        plugin.parse(inventory, DataLoader(), str(path))
        if plugin.get_option("cache"):
            plugin.update_cache_if_changed()  # as the inventory's manager does
        return inventory, nodes

    return play


def test_hosts_groups_and_variables(load, helper):
    inventory, nodes = load("nodes: [192.0.2.1, 192.0.2.2]\nnetworks: [192.0.2.0/24]\ngather: [os]\n")
    assert nodes == [("192.0.2.1", "root"), ("192.0.2.2", "root")]
    request, wish = helper.asked[0]
    assert (request, wish["networks"], wish["gather"]) == ("inventory", ["192.0.2.0/24"], ["network", "os"])
    assert helper.closed == 1
    assert set(inventory.hosts) == {"web1", "same-101", "same-102", "vm-103"}
    groups = {name: sorted(host.name for host in group.hosts) for name, group in inventory.groups.items()}
    assert groups["guests"] == ["same-101", "same-102", "vm-103", "web1"]
    assert groups["pool_web"] == groups["tag_prod"] == groups["tag_x_1"] == ["web1"]
    assert groups["agent_reason_not_listening"] == ["same-101"]
    assert groups["state_stopped"] == ["same-102"]
    assert groups["os_debian"] == ["vm-103", "web1"]
    web = inventory.hosts["web1"].vars
    assert (web["ansible_host"], web["proxmox_vmid"], web["proxmox_node"]) == ("192.0.2.11", 100, "pve1")
    assert web["proxmox_nodes"] == ["192.0.2.1", "192.0.2.2"]
    silent = inventory.hosts["same-101"].vars
    assert "ansible_host" not in silent
    assert (silent["proxmox_agent_reason"], silent["proxmox_agent_remedy"]) == ("not_listening", "install it")


def test_the_nodes_of_the_inventory_before(load):
    known = {
        "pve1": {"ansible_host": "192.0.2.1", "ansible_user": "ops", "ansible_ssh_private_key_file": "k"},
        "pve2": {"ansible_user": "{{ whoever }}"},
    }
    inventory, nodes = load("", known=known)
    assert nodes == [("192.0.2.1", "ops"), ("pve2", "root")]
    told = inventory.hosts["web1"].vars
    assert told["proxmox_nodes"] == ["192.0.2.1", "pve2"]
    assert (told["proxmox_ssh_user"], told["proxmox_ssh_private_key_file"]) == ("ops", "k")
    assert "proxmox_ssh_port" not in told


def test_composed_variables_and_groups(load):
    inventory, _nodes = load(
        "nodes: [a]\n"
        "group_prefix: pve_\n"
        "group: machines\n"
        "compose: {ansible_user: \"'debian' if proxmox_os == 'debian' else 'root'\"}\n"
        "groups: {silent: proxmox_agent_reason != 'ok'}\n"
        "keyed_groups: [{key: proxmox_tags, prefix: role}]\n"
    )
    assert inventory.hosts["web1"].vars["ansible_user"] == "debian"
    assert {host.name for host in inventory.groups["silent"].hosts} == {"same-101", "same-102"}
    assert {"role_prod", "machines", "pve_node_pve1"} <= set(inventory.groups)


def test_the_second_run_reads_the_cache(load, helper, tmp_path):
    cached = f"nodes: [a]\ncache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: {tmp_path}/cache\n"
    load(cached)
    inventory, _nodes = load(cached)
    assert len(helper.asked) == 1
    assert "web1" in inventory.hosts


def test_trouble_is_told(load):
    with pytest.raises(AnsibleParserError, match="no node can be reached"):
        load(helper=NotReached("no node can be reached: refused"))
    with pytest.raises(AnsibleParserError, match="needs a node"):
        load("nodes: []\n")
    with pytest.raises(AnsibleParserError, match="api_host"):
        load("transport: api\n")
