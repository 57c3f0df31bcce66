# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a node from being joined, and a separation that was stopped half way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import SEED, Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve3")
    playground.found()
    return playground


def test_separation_killed_half_way_is_finished(nodes):
    nodes.on(
        "pve3",
        "mkdir -p /var/lib/baremetal-proxmox; date > /var/lib/baremetal-proxmox/leaving; systemctl stop pve-cluster",
    )
    assert nodes.state("pve3") == "separation_interrupted"
    assert nodes.change("pve3", "proxmox_cluster", state="standalone")["node_state"] == "standalone"


def test_guests_and_a_second_controller_are_refused(nodes):
    nodes.trust("pve3", "pve1")
    nodes.on("pve3", "touch /etc/pve/nodes/pve3/qemu-server/100.conf")
    refused = nodes.call("pve3", "proxmox_cluster", **SEED)
    assert refused["error"] == "Refused" and "100" in refused["msg"]
    nodes.on("pve3", "rm /etc/pve/nodes/pve3/qemu-server/100.conf")
    nodes.change("pve3", "proxmox_cluster_lock", owner="ann@desk")
    locked = nodes.call("pve3", "proxmox_cluster", **SEED, lock_owner="bob@sofa")
    assert locked["error"] == "Locked" and locked["held_by"] == "ann@desk"
    assert nodes.change("pve3", "proxmox_cluster_lock", owner="ann@desk", state="absent")["changed"]
