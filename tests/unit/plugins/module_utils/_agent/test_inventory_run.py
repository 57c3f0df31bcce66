# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.guest_config import read_static_addresses
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.inventory_run import read_inventory
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.whereabouts import find_address, read_neighbours
from fake_session import FakeSession

MAC = "bc:24:11:00:00:01"
NEIGHBOURS = json.dumps(
    [
        {"dst": "fe80::1", "dev": "vmbr0", "lladdr": MAC, "state": ["STALE"]},
        {"dst": "2001:db8::9", "dev": "vmbr0", "lladdr": MAC, "state": ["STALE"]},
        {"dst": "192.0.2.9", "dev": "vmbr0", "lladdr": MAC.upper(), "state": ["REACHABLE"]},
        {"dst": "192.0.2.7", "dev": "vmbr0", "lladdr": "bc:24:11:00:00:02", "state": ["FAILED"]},
        {"dst": "192.0.2.8", "dev": "vmbr0", "state": ["INCOMPLETE"]},
    ]
)
WISH = {
    "node": None,
    "statuses": [],
    "family": "ipv4",
    "networks": [],
    "exclude_interfaces": [],
    "gather": ["network"],
    "max_parallel": 4,
}


@pytest.mark.parametrize(
    ("config", "addresses"),
    [
        ({"ipconfig0": "ip=192.0.2.5/24,gw=192.0.2.1"}, ("192.0.2.5",)),
        ({"ipconfig1": "ip=198.51.100.5/24", "ipconfig0": "gw=192.0.2.1,ip=192.0.2.5/24,ip6=2001:db8::5/64"}, ("192.0.2.5", "2001:db8::5", "198.51.100.5")),
        ({"ipconfig0": "ip=dhcp,ip6=auto"}, ()),
        ({"ipconfig": "ip=192.0.2.5/24"}, ()),
    ],
)  # fmt: skip
def test_addresses_that_cloud_init_is_told(config, addresses):
    assert read_static_addresses(config) == addresses


def test_neighbours():
    assert read_neighbours(NEIGHBOURS) == {MAC: "192.0.2.9"}
    assert read_neighbours("no json") == {}
    assert read_neighbours("") == {}


@pytest.mark.parametrize(
    ("guest", "family", "found"),
    [
        ({"primary_ipv4": "192.0.2.1", "primary_ipv6": "2001:db8::1"}, "ipv4", ("192.0.2.1", "agent")),
        ({"primary_ipv4": "192.0.2.1", "primary_ipv6": "2001:db8::1"}, "ipv6", ("2001:db8::1", "agent")),
        ({"configured_addresses": ["2001:db8::5", "192.0.2.5"], "macs": [MAC]}, "ipv4", ("192.0.2.5", "ipconfig")),
        ({"configured_addresses": ["192.0.2.5"]}, "ipv6", ("192.0.2.5", "ipconfig")),
        ({"macs": ["bc:24:11:00:00:ff", MAC]}, "ipv4", ("192.0.2.9", "neighbours")),
        ({"macs": []}, "ipv4", (None, "")),
    ],
)
def test_agent_then_configuration_then_neighbours(guest, family, found):
    assert find_address(guest, family, lambda: read_neighbours(NEIGHBOURS)) == found


def cluster():
    """Three guests whose agents were never switched on: one with a fixed address, one that a node knows, one that is off."""
    rows = [
        {"type": "node", "node": "pve1", "status": "online"},
        {"type": "node", "node": "pve2", "status": "online"},
        {"type": "qemu", "vmid": 100, "node": "pve1", "name": "a", "status": "running", "pool": "web", "tags": "x;y"},
        {"type": "qemu", "vmid": 101, "node": "pve2", "name": "b", "status": "running"},
        {"type": "qemu", "vmid": 102, "node": "pve2", "name": "c", "status": "stopped"},
        {"type": "lxc", "vmid": 200, "node": "pve1", "name": "ct", "status": "running"},
    ]
    answers = {
        ("GET", "/cluster/resources"): rows,
        ("GET", "/cluster/status"): [
            {"type": "cluster", "name": "lab"},
            {"type": "node", "name": "pve2", "ip": "192.0.2.2"},
        ],
    }
    net = {"key": "net0", "value": f"virtio={MAC},bridge=vmbr0"}
    for vmid, node, more in (
        (100, "pve1", [{"key": "ipconfig0", "value": "ip=192.0.2.5/24"}]),
        (101, "pve2", [net]),
        (102, "pve2", [net]),
    ):
        base = f"/nodes/{node}/qemu/{vmid}"
        answers["GET", base + "/pending"] = more
        answers["GET", base + "/status/current"] = {"status": "stopped" if vmid == 102 else "running", "uptime": 9}
    return FakeSession(answers)


def test_all_guests_of_the_cluster():
    asked = []

    def table(node, own, addresses):
        asked.append((node, own, addresses))
        return read_neighbours(NEIGHBOURS)

    guests = read_inventory(cluster(), WISH, table)
    assert [(guest["vmid"], guest["address"], guest["address_source"]) for guest in guests] == [
        (100, "192.0.2.5", "ipconfig"),
        (101, "192.0.2.9", "neighbours"),
        (102, None, ""),
    ]
    assert (guests[0]["pool"], guests[0]["tags"]) == ("web", ["x", "y"])
    assert guests[0]["agent"]["reason"] == "agent_disabled"
    assert asked == [("pve2", "pve1", {"pve2": "192.0.2.2"})]


def test_over_the_api_no_neighbour_table_is_in_reach():
    session = cluster()
    session.node = None
    guests = read_inventory(session, WISH, lambda *_: pytest.fail("asked"))
    assert guests[1]["address"] is None


def test_only_some_states_and_nodes():
    assert [guest["vmid"] for guest in read_inventory(cluster(), {**WISH, "statuses": ["stopped"]})] == [102]
    assert [guest["vmid"] for guest in read_inventory(cluster(), {**WISH, "node": "pve1"})] == [100]
