# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins whose controller is killed while they wait for the quorum: attached to by the next run, or taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import ADDRESS, SEED, Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve2", "pve3")
    playground.found("pve2")
    return playground


def test_killed_while_waiting_and_taken_back_on_both_sides(nodes):
    nodes.on("pve3", "echo 'user:keepme@pve:1:0::::::' >> /etc/pve/user.cfg")
    nodes.kill_join("pve3")
    nodes.on("pve3", "systemctl kill -s KILL baremetal-proxmox-join; sleep 1")
    assert nodes.state("pve3") == "join_interrupted_waiting_quorum"
    taken = nodes.change_when_free("pve3", "proxmox_cluster", state="standalone", seeds=[ADDRESS["pve1"]])
    nodes.lab.heal("pve3")
    assert taken["node_state"] == "standalone"
    assert "keepme@pve" in nodes.on("pve3", "cat /etc/pve/user.cfg")
    nodes.healthy("pve1", "pve2")


def test_controller_killed_in_mid_join_and_the_next_run_attaches(nodes):
    nodes.kill_join("pve3")
    nodes.lab.fault("drop-ssh", "pve3")
    assert nodes.state("pve3") == "joining"
    # Two others stay quorate whatever happens to the third.
    assert nodes.info("pve1")["node_state"] == "member"
    nodes.lab.heal("pve3")
    finished = nodes.change_when_free("pve3", "proxmox_cluster", **SEED)
    assert finished["node_state"] == "member"
    nodes.healthy("pve1", "pve2", "pve3")
