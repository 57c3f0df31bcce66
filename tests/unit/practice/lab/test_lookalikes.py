# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an inventory to its look-alikes."""

from __future__ import annotations

import pytest

from practice_lab.errors import LabError
from practice_lab.lookalikes import lookalikes


def listed(**hosts):
    return {
        "_meta": {"hostvars": hosts},
        "proxmox_cluster": {"children": ["proxmox_cluster_primary", "proxmox_cluster_nodes"]},
        "proxmox_cluster_primary": {"hosts": [next(iter(hosts))]},
        "proxmox_cluster_nodes": {"hosts": list(hosts)[1:]},
    }


ALPHA = {"ansible_host": "10.0.0.1", "hostname": "alpha.example.com", "ansible_password": "one", "cluster_name": "mine"}
BETA = {
    "ansible_host": "10.0.1.2",
    "hostname": "beta.example.com",
    "ansible_password": "two",
    "cluster_name": "mine",
    "pve_version": "8.4.1",
}


def test_names_addresses_passwords_versions_and_the_cluster_are_alike():
    found = lookalikes(listed(alpha=ALPHA, beta=BETA))
    assert [(n.name, n.ip, n.domain, n.password) for n in found.spec.nodes] == [
        ("alpha", "10.0.0.1", "example.com", "one"),
        ("beta", "10.0.1.2", "example.com", "two"),
    ]
    assert found.spec.node("beta").settings == {"pve_version": "8.4.1"}
    assert found.spec.cluster_name == "mine"
    assert found.notes == []


def test_links_become_cards_but_the_management_address_is_there_already():
    node = lookalikes(listed(alpha={**ALPHA, "link0": "172.16.0.1,priority=5", "link1": "10.0.0.1"})).spec.nodes[0]
    assert [link.split("/")[0] for link in node.links] == ["172.16.0.1"]


def test_what_cannot_be_alike_is_noted():
    found = lookalikes(
        listed(alpha={"ansible_host": "alpha.example.com", "ansible_user": "admin", "ansible_port": 2222})
    )
    assert len(found.notes) == 4
    assert found.spec.nodes[0].ip.startswith("10.99.0.")


def test_an_inventory_without_the_group_is_refused():
    with pytest.raises(LabError, match="proxmox_cluster"):
        lookalikes({"_meta": {"hostvars": {}}})
