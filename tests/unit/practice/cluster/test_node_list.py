# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What addnode and delnode decide, and the words of their refusals."""

from __future__ import annotations

from typing import Any

import pytest

from practice_pve.cluster.corosync_config import CorosyncConfig
from practice_pve.cluster.links import extract_links, format_link, parse_link, resolve_like_corosync, verify_config
from practice_pve.cluster.node_list import Addition, find_member, invalid_config_error, plan_addition
from practice_pve.rest.errors import ApiError


def cluster(*nodes: dict[str, Any], interfaces: tuple[int, ...] = (0,)) -> CorosyncConfig:
    return CorosyncConfig(
        {
            "nodelist": {"node": {node["name"]: node for node in nodes}},
            "totem": {
                "secauth": "on",
                "ip_version": "ipv4-6",
                "interface": {str(number): {"linknumber": str(number)} for number in interfaces},
            },
        }
    )


def node(number: int, **links: str) -> dict[str, Any]:
    addresses = links or {"ring0_addr": f"10.99.0.1{number}"}
    return {"name": f"pve{number}", "nodeid": str(number), "quorum_votes": "1", **addresses}


def refusal(config: CorosyncConfig, addition: Addition) -> str:
    with pytest.raises(ApiError) as caught:
        plan_addition(config, addition)
    return str(caught.value)


def test_fallback_address_becomes_the_only_link() -> None:
    plan = plan_addition(cluster(node(1)), Addition("pve2", new_node_ip="10.99.0.12", api_version=1))
    assert plan.nodes["pve2"] == node(2)
    assert not plan.overwrites


def test_the_lowest_free_id_is_taken() -> None:
    plan = plan_addition(cluster(node(1), node(3)), Addition("x", new_node_ip="10.99.0.9", api_version=1))
    assert plan.nodes["x"]["nodeid"] == "2"


def test_zero_votes_are_left_out() -> None:
    plan = plan_addition(cluster(node(1)), Addition("x", new_node_ip="10.99.0.9", votes=0))
    assert "quorum_votes" not in plan.nodes["x"]


def test_existing_name_is_refused_unless_forced() -> None:
    config = cluster(node(1), node(2))
    same = Addition("pve2", new_node_ip="10.99.0.99", api_version=1)
    assert refusal(config, same) == "can't add existing node 'pve2'"
    plan = plan_addition(config, Addition("pve2", new_node_ip="10.99.0.99", force=True))
    assert plan.overwrites
    assert plan.nodes["pve2"] == node(2, ring0_addr="10.99.0.99")
    other_votes = Addition("pve2", new_node_ip="10.99.0.99", votes=3, force=True)
    assert refusal(config, other_votes) == "can't add existing node 'pve2'"


def test_address_of_a_link_must_be_new_but_the_fallback_is_not_looked_at() -> None:
    config = cluster(node(1))
    links = {0: {"address": "10.99.0.11"}}
    assert (
        refusal(config, Addition("x", links, api_version=1))
        == "corosync: address '10.99.0.11' already used on link ring0_addr by node 'pve1'"
    )
    plan = plan_addition(config, Addition("x", new_node_ip="10.99.0.11", api_version=1))
    assert plan.nodes["x"]["ring0_addr"] == "10.99.0.11"


def test_links_must_be_those_of_the_cluster() -> None:
    two = cluster(node(1, ring0_addr="10.0.0.1", ring1_addr="10.1.0.1"), interfaces=(0, 1))
    only_first = Addition("x", {0: {"address": "10.0.0.9"}}, api_version=1)
    assert refusal(two, only_first) == "corosync: link 1 exists in cluster config but wasn't specified for new node"
    both = Addition("x", {0: {"address": "10.0.0.9"}, 1: {"address": "10.1.0.9"}}, api_version=1)
    assert refusal(cluster(node(1)), both) == "corosync: link 1 specified for new node doesn't exist in cluster config"
    assert plan_addition(two, both).nodes["x"]["ring1_addr"] == "10.1.0.9"


def test_an_old_joiners_single_link_is_its_address() -> None:
    config = cluster(node(1, ring1_addr="10.1.0.1"), interfaces=(1,))
    plan = plan_addition(config, Addition("x", {0: {"address": "10.1.0.9"}}, force=True))
    assert plan.nodes["x"]["ring1_addr"] == "10.1.0.9"
    two = cluster(node(1, ring0_addr="10.0.0.1", ring1_addr="10.1.0.1"), interfaces=(0, 1))
    assert refusal(two, Addition("x", {0: {"address": "10.1.0.9"}})).startswith("cluster has 2 links, but only 1 given")


def test_no_address_at_all() -> None:
    assert (
        refusal(cluster(node(1)), Addition("pve2", force=True))
        == "no links and no fallback ip (new_node_ip) given, cannot join cluster"
    )
    two = cluster(node(1, ring0_addr="10.0.0.1", ring1_addr="10.1.0.1"), interfaces=(0, 1))
    assert refusal(two, Addition("x", new_node_ip="10.0.0.9", api_version=1)) == (
        "no links given but multiple links found on other nodes, fallback only supported on single-link clusters"
    )


def test_delnode_takes_names_and_addresses() -> None:
    config = cluster(node(1), node(2))
    assert find_member(config, "pve2") == ("pve2", "2")
    assert find_member(config, "10.99.0.12") == ("pve2", "2")


@pytest.mark.parametrize(("config", "exit_code"), [(cluster(node(1)), 255), (CorosyncConfig(), 2)])
def test_unknown_node(config: CorosyncConfig, exit_code: int) -> None:
    with pytest.raises(ApiError) as caught:
        find_member(config, "pve9")
    assert caught.value.text() == "Node/IP: pve9 is not a known host of the cluster.\n"
    assert caught.value.exit_code == exit_code


def test_addnode_on_a_node_without_cluster() -> None:
    errors, warnings = verify_config(CorosyncConfig())
    error = invalid_config_error(errors, warnings, exists=False)
    assert error.text() == "invalid corosync.conf\nerror0: no nodes found\n"
    assert error.exit_code == 2


def test_verification_of_links() -> None:
    config = cluster(node(1), node(2, ring1_addr="10.1.0.2"), interfaces=(0,))
    errors, warnings = verify_config(config)
    assert errors == [
        "node 'pve2' is missing address forinterface number 0",
        "node 'pve2' has 'ring1_addr', but there is no interface number 1 configured",
    ]
    assert warnings == []


def test_verification_of_names() -> None:
    config = cluster(node(1, ring0_addr="nodeone"), node(2, ring0_addr="nowhere"))
    known = {"nodeone": ["fe80::1", "10.0.0.1"]}
    errors, warnings = verify_config(config, lambda name: known.get(name, []))
    assert errors == []
    assert warnings == [
        "warning: ring0_addr 'nodeone' for node 'pve1' resolves to '10.0.0.1' - consider replacing it with the "
        "currently resolved IP address for stability",
        "warning: unable to resolve ring0_addr 'nowhere' for node 'pve2' to an IP address according to Corosync's "
        "resolve strategy - cluster could fail on restart!",
    ]


@pytest.mark.parametrize(
    ("ip_version", "expected"),
    [("ipv4", "10.0.0.1"), ("ipv6", "fe80::1"), ("ipv6-4", "fe80::1"), ("ipv4-6", "10.0.0.1"), (None, "fe80::1")],
)
def test_family_follows_the_configuration(ip_version: str | None, expected: str) -> None:
    assert resolve_like_corosync("x", ip_version, lambda _name: ["10.0.0.1", "fe80::1"]) == expected


def test_link_parameters() -> None:
    assert parse_link("10.0.0.1") == {"address": "10.0.0.1"}
    assert parse_link("address=10.0.0.1,priority=20") == {"address": "10.0.0.1", "priority": 20}
    assert extract_links({"link0": "a", "link7": "b,priority=1", "votes": 1}) == {
        0: {"address": "a"},
        7: {"address": "b", "priority": 1},
    }
    assert format_link({"address": "a", "priority": 0}) == "a,priority=0"
