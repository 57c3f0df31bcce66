# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptions of labs: names, addresses, defaults. No containers here."""

from __future__ import annotations

import json

import pytest

from practice_lab import LabError, LabSpec, NodeSpec
from practice_lab.network import gateways, interfaces_file
from practice_lab.places import checked_lab_name, lab_of_identifier, node_identifier
from practice_lab.views import quoted


def filled(*nodes: NodeSpec, **values: object) -> LabSpec:
    spec = LabSpec(**values)
    for node in nodes:
        spec.add(node)
    return spec


def test_addresses_follow_the_number_in_the_name_whatever_the_order():
    spec = filled(NodeSpec("pve3"), NodeSpec("pve1"), NodeSpec("storage"), NodeSpec("backup"))
    assert [node.address for node in spec.nodes] == ["10.99.0.13/24", "10.99.0.11/24", "10.99.0.12/24", "10.99.0.14/24"]


def test_further_networks_get_the_same_host_number():
    spec = filled(NodeSpec("pve2"), networks=["10.99.0.0/24", "10.99.1.0/24", "10.99.2.0/24"])
    assert spec.nodes[0].links == ["10.99.1.12/24", "10.99.2.12/24"]


def test_the_same_address_twice_is_refused():
    with pytest.raises(LabError, match=r"10\.0\.0\.5 of b is taken"):
        filled(NodeSpec("a", "10.0.0.5"), NodeSpec("b", "10.0.0.5/16"))


def test_the_controller_takes_the_gateway_or_a_free_address_in_every_subnet():
    spec = filled(
        NodeSpec("a", "10.0.0.1/24"),
        NodeSpec("b", "192.168.1.10", gateway="192.168.1.254"),
        NodeSpec("c", "157.159.10.9/16"),
    )
    found = {str(network): str(address.ip) for network, address in gateways(spec).items()}
    assert found == {
        "10.99.0.0/24": "10.99.0.1",
        "10.0.0.0/24": "10.0.0.254",
        "192.168.1.0/24": "192.168.1.254",
        "157.159.0.0/16": "157.159.0.1",
    }
    assert "\taddress 10.0.0.1/24\n\tgateway 10.0.0.254\n\tbridge-ports eno1\n" in interfaces_file(spec, spec.node("a"))


def test_a_description_survives_its_file():
    spec = filled(NodeSpec("pve1", password="ünsafe '\""), NodeSpec("pve2", settings={"call_costs": True}))
    assert LabSpec.from_json(spec.to_json()) == spec


def test_a_description_may_be_short_and_inherits():
    spec = LabSpec.from_json(
        '{"domain": "example.org", "password": "x", "nodes": ["one", {"name": "two", "domain": ""}]}'
    )
    assert [(node.fqdn, node.password) for node in spec.nodes] == [("one.example.org", "x"), ("two", "x")]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"nodes": [{"name": "a", "adress": "10.0.0.1"}]}',
        '{"noodles": []}',
        '{"nodes": ["a_b"]}',
        '{"networks": ["10.0.0.5/24"]}',
    ],
)
def test_a_wrong_description_is_refused(text: str):
    with pytest.raises(LabError):
        LabSpec.from_json(text)


def test_a_lab_is_found_in_the_names_of_its_things():
    assert lab_of_identifier(node_identifier("one", "pve-west-2")) == "one"
    assert lab_of_identifier("pl-one") == "one"
    assert [lab_of_identifier(name) for name in ("one", "pl-", "pl-O_o", "overlay")] == [None] * 4
    for name in ("", "a-b", "A", "x" * 21):
        with pytest.raises(LabError):
            checked_lab_name(name)


def test_inventory_values_are_quoted_when_ansible_needs_it():
    assert [quoted(value) for value in ("simple", "a b", "it's", "x#y")] == ["simple", "'a b'", "'it\\'s'", "'x#y'"]
    assert json.loads(filled(NodeSpec("a")).to_json())["cluster_name"] == "labcluster"
