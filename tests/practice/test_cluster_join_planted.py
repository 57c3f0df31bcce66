# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins that were killed at a named point are finished by the next run. Each point has its own joiner."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import ADDRESS, SEED, Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve2", "pve3", "pve4", "pve5")
    playground.found("pve2")
    return playground


def plant(nodes: Playground, name: str, point: str) -> None:
    """Bring a node to where a join that is killed leaves it."""
    nodes.on("pve1", f"pvecm addnode {name} --new_node_ip {ADDRESS[name]} --apiversion 1 > /dev/null")
    if point == "added":
        return
    for file in ("authkey", "corosync.conf"):
        content = nodes.lab.node("pve1").root / "etc" / "corosync" / file
        (nodes.lab.node(name).root / "etc" / "corosync" / file).write_bytes(content.read_bytes())
    if point == "database deleted":
        nodes.on(name, "systemctl stop pve-cluster; sqlite3 /var/lib/pve-cluster/config.db .dump > /dev/null")
        nodes.on(name, "rm -f /var/lib/pve-cluster/config.db*")


@pytest.mark.parametrize(
    ("name", "point", "state"),
    [
        ("pve3", "database deleted", "join_interrupted_database_deleted"),
        ("pve4", "files written", "join_interrupted_files_written"),
        ("pve5", "added", "standalone"),
    ],
)
def test_join_killed_at_a_named_point_is_finished(name, point, state, nodes):
    nodes.trust(name, "pve1")
    plant(nodes, name, point)
    assert nodes.state(name) == state
    finished = nodes.change(name, "proxmox_cluster", **SEED)
    assert finished["node_state"] == "member"
    nodes.healthy(*finished["members"])
    assert name in finished["members"]
