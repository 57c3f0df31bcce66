# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parsers against what real nodes printed, and against what must never be taken for a good answer."""

from __future__ import annotations

import json

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import read_corosync_config
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.high_availability import (
    high_availability_of_files,
    parse_ha_status,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.links import (
    parse_link_status,
    parse_node_links,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import (
    parse_cluster_status,
    parse_members_file,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.quorum import parse_quorum_status, parse_voters
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.units import parse_units
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view_api import view_of_api


def test_both_notations_of_node_ids_mean_the_same(recorded):
    by_pvecm = parse_quorum_status(recorded("healthy-pvecm-status"))
    by_tool = parse_quorum_status(recorded("healthy-quorumtool-s"))
    assert by_pvecm.quorate is by_tool.quorate is True
    assert by_pvecm.node_ids == by_tool.node_ids == {1, 2, 3}
    assert (by_pvecm.cluster_name, by_pvecm.config_version) == ("lab", 3)
    assert (by_tool.expected_votes, by_tool.total_votes, by_tool.needed_votes) == (3, 3, 2)
    assert [voter.name for voter in by_tool.voters if voter.local] == ["pve1"]


def test_no_quorum_is_seen_behind_the_padding(recorded):
    for name in ("noquorum-pvecm-status", "noquorum-quorumtool-s"):
        status = parse_quorum_status(recorded(name))
        assert status.quorate is False
        assert (status.total_votes, status.needed_votes) == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Cannot initialize CMAP service\n",
        # What pvecm status prints when corosync is dead.
        "Cluster information\n-------------------\nName:             lab\nConfig Version:   1\n",
        "Quorate:          Maybe\n",
        "Quorate:\n",
    ],
)
def test_a_status_that_says_nothing_is_never_quorate(text):
    with pytest.raises(UnreadableText):
        parse_quorum_status(text)


@pytest.mark.parametrize("word", ["Maybe", "yes", "Unknown", ""])
def test_only_a_plain_yes_is_quorate(word, recorded):
    with pytest.raises(UnreadableText):
        parse_quorum_status(
            recorded("healthy-pvecm-status").replace("Quorate:          Yes", f"Quorate:          {word}")
        )


def test_a_quorum_device_is_not_a_node():
    table = (
        "\nMembership information\n----------------------\n"
        "    Nodeid      Votes    Qdevice Name\n"
        "0x00000001          1    A,V,NMW 10.99.0.11 (local)\n"
        "0x00000002          1         NR 10.99.0.12\n"
        "0x00000000          1            Qdevice\n"
    )
    voters = parse_voters(table)
    assert [(voter.node_id, voter.qdevice_flags, voter.name) for voter in voters] == [
        (1, "A,V,NMW", "10.99.0.11"),
        (2, "NR", "10.99.0.12"),
        (0, "", "Qdevice"),
    ]


def test_members_file(recorded):
    members = parse_members_file(recorded("noquorum-members"))
    assert (members.cluster_name, members.quorate, members.online) == ("lab", False, ["pve1"])
    assert parse_members_file(recorded("standalone-members")).cluster_name is None
    with pytest.raises(UnreadableText):
        parse_members_file("")
    with pytest.raises(UnreadableText):
        parse_members_file('{"nodename": "pve1", "cluster": {"name": "lab"}}')


def test_cluster_status_of_the_api(recorded):
    assert parse_cluster_status(recorded("standalone-pvesh-status")).cluster_name is None
    status = parse_cluster_status(recorded("healthy-pvesh-status"))
    assert (status.cluster_name, status.quorate, sorted(status.online)) == ("lab", True, ["pve1", "pve2", "pve3"])
    with pytest.raises(UnreadableText):
        parse_cluster_status("[]")


def test_the_api_shows_the_same_cluster_as_the_files(recorded):
    status, nodes, totem = (
        json.loads(recorded(f"healthy-pvesh-{name}")) for name in ("status", "config-nodes", "config-totem")
    )
    view = view_of_api("10.99.0.12", status, nodes, totem)
    config = read_corosync_config(recorded("healthy-corosync-conf"))
    assert {node.name: node for node in view.config.nodes} == {node.name: node for node in config.nodes}
    assert (view.config.cluster_name, view.config.config_version) == ("lab", 3)
    assert (view.quorate, view.writable, view.online) == (True, None, frozenset(config.names))
    alone = json.loads(recorded("standalone-pvesh-status"))
    with pytest.raises(UnreadableText):
        view_of_api("10.99.0.12", alone, [], {})


def test_links(recorded):
    healthy = parse_link_status(recorded("healthy-cfgtool-s"))
    assert [(state.node_id, state.connected) for state in healthy.states] == [(2, True), (3, True)]
    degraded = parse_link_status(recorded("degraded-cfgtool-s"))
    assert [(state.node_id, state.state) for state in degraded.states] == [(2, "connected"), (3, "disconnected")]
    assert parse_link_status(recorded("single-cfgtool-s")).states == ()
    assert [(link.node_id, link.connected, link.mtu) for link in parse_node_links(recorded("healthy-cfgtool-n"))] == [
        (2, True, 1397),
        (3, True, 1397),
    ]
    assert parse_node_links(recorded("noquorum-cfgtool-n")) == ()
    for parse in (parse_link_status, parse_node_links):
        with pytest.raises(UnreadableText):
            parse("Could not initialize corosync configuration API error 2\n")


def test_ha_status(recorded):
    active = parse_ha_status(recorded("ha-status-active"))
    assert (active.master, active.active_nodes, active.resources) == ("pve3", ["pve1"], {"vm:110": "pve1"})
    # A node in maintenance keeps its watchdog.
    assert "pve2" in parse_ha_status(recorded("ha-status-maintenance")).active_nodes
    assert not parse_ha_status(recorded("noquorum-ha-status")).in_use
    with pytest.raises(UnreadableText):
        parse_ha_status("")


def test_ha_from_files_says_the_same_as_the_command(recorded):
    manager = '{"master_node":"pve3","service_status":{"vm:110":{"node":"pve1","state":"started"}}}'
    states = {"pve1": "active", "pve2": "wait_for_agent_lock", "pve3": "wait_for_agent_lock"}
    from_files = high_availability_of_files(manager, "vm: 110\n\tstate started\n\n", states)
    by_command = parse_ha_status(recorded("ha-status-active"))
    assert from_files.active_nodes == by_command.active_nodes
    assert (from_files.master, from_files.resources) == (by_command.master, by_command.resources)


def test_units(units):
    found = parse_units(units(corosync="failed", running="baremetal-proxmox-join")["value"]["stdout"])
    assert found["corosync.service"].running is False
    assert found["pve-cluster.service"].running is True
    assert found["baremetal-proxmox-join.service"].busy is True
    assert found["baremetal-proxmox-leave.service"].exists is False
    with pytest.raises(UnreadableText):
        parse_units("Failed to connect to bus: Host is down\n")
