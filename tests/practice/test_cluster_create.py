# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster modules from bare nodes to a cluster of two. The tests stand in the order of its life."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import SEED, Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    return make_playground("pve1", "pve2")


def traces(nodes: Playground, host: str) -> str:
    return nodes.on(host, "find /etc/pve /etc/corosync /root /var/lib/corosync /etc/ssh -newer /proc/1 -type f | sort")


def test_check_mode_tells_the_plan_and_leaves_no_trace(nodes):
    before = {name: traces(nodes, name) for name in ("pve1", "pve2")}
    founder = nodes.call("pve1", "proxmox_cluster", "--check", state="present", cluster_name="lab")
    joiner = nodes.call("pve2", "proxmox_cluster", "--check", founder_planned=True, **SEED)
    assert founder["changed"] and joiner["changed"]
    assert founder["plan"][0] == "Create the cluster lab."
    assert joiner["plan"][0] == "Join the cluster lab through 10.99.0.11."
    assert {name: traces(nodes, name) for name in before} == before
    assert nodes.state("pve1") == nodes.state("pve2") == "standalone"


def test_create_is_writable_when_it_returns_and_done_once(nodes):
    created = nodes.change("pve1", "proxmox_cluster", state="present", cluster_name="lab")
    assert (created["node_state_before"], created["node_state"]) == ("standalone", "member")
    assert nodes.lab.node("pve1").run(["sh", "-c", "touch /etc/pve/probe && rm /etc/pve/probe"]).rc == 0
    assert not nodes.change("pve1", "proxmox_cluster", state="present", cluster_name="lab")["changed"]


def test_join_without_trust_says_what_is_missing_and_touches_nothing(nodes):
    refused = nodes.call("pve2", "proxmox_cluster", **SEED)
    assert not refused["ok"]
    assert refused["error"] == "Unreachable"
    assert "id_rsa.pub" in refused["msg"] and "known_hosts" in refused["msg"]
    assert nodes.state("pve2") == "standalone"


def test_join_and_nothing_on_the_second_run(nodes):
    nodes.trust("pve2", "pve1")
    joined = nodes.change("pve2", "proxmox_cluster", **SEED)
    assert joined["members"] == ["pve1", "pve2"]
    assert joined["log"][-1] == "successfully added node 'pve2' to cluster."
    nodes.healthy("pve1", "pve2")
    assert not nodes.change("pve2", "proxmox_cluster", **SEED)["changed"]
    refused = nodes.call("pve2", "proxmox_cluster", **(SEED | {"cluster_name": "other"}))
    assert not refused["ok"] and refused["node_state"] == "other_cluster"
