# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members that lost something, that are removed and separated. The tests stand in the order of a cluster's end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import SEED, Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve2", "pve3")
    playground.found("pve2", "pve3")
    return playground


def test_lost_certificate_is_made_again(nodes):
    nodes.on("pve3", "rm /etc/pve/nodes/pve3/pve-ssl.pem /etc/pve/nodes/pve3/pve-ssl.key")
    assert nodes.state("pve3") == "member_without_certificate"
    nodes.change("pve3", "proxmox_cluster", **SEED)
    nodes.healthy("pve1", "pve2", "pve3")


def test_online_node_is_removed_and_separated(nodes):
    assert not nodes.call("pve1", "proxmox_cluster_node", name="pve3")["ok"]
    removed = nodes.change("pve1", "proxmox_cluster_node", name="pve3", online="remove")
    assert removed["members"] == ["pve1", "pve2"]
    assert "pve3" not in nodes.on("pve1", "ls /etc/pve/nodes; cat /etc/pve/priv/authorized_keys")
    boot = nodes.info("pve3")["boot_id"]
    left = nodes.change("pve3", "proxmox_cluster", state="standalone", cluster_name="lab")
    assert left["node_state"] == "standalone"
    assert nodes.on("pve3", "ls /etc/pve/nodes").split() == ["pve3"]
    assert nodes.lab.node("pve3").run(["test", "-s", left["backup_files"][0]]).rc == 0
    assert nodes.info("pve3")["boot_id"] == boot
    nodes.healthy("pve1", "pve2")
    assert not nodes.change("pve1", "proxmox_cluster_node", name="pve3")["changed"]


def test_destroyed_to_the_last_node_and_created_again(nodes):
    nodes.change("pve1", "proxmox_cluster_node", name="pve2", online="remove")
    nodes.change("pve2", "proxmox_cluster", state="standalone", cluster_name="lab")
    nodes.healthy("pve1")
    last = nodes.change("pve1", "proxmox_cluster", state="standalone", cluster_name="lab")
    assert last["node_state"] == "standalone"
    for name in ("pve1", "pve2"):
        left = nodes.on(
            name, "ls /etc/corosync/authkey /etc/corosync/corosync.conf /etc/pve/corosync.conf /var/lib/corosync"
        )
        assert left.split() in ([], ["/var/lib/corosync:"]), left
        assert nodes.on(name, "ls /etc/pve/nodes").split() == [name]
    nodes.change("pve1", "proxmox_cluster", state="present", cluster_name="again")
    assert nodes.info("pve1", cluster_name="again")["health"]
