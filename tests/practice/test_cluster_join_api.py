# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A join over the API, which hands the seed's root password to pvecm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import ADDRESS, Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve2")
    playground.found()
    return playground


def test_join_over_the_api_keeps_the_password_to_itself(nodes):
    certificate = nodes.info("pve1")["cluster"]["certificate"]["served"]
    way = {"state": "joined", "cluster_name": "lab", "method": "api", "seeds": [ADDRESS["pve1"]]}
    wrong = nodes.call("pve2", "proxmox_cluster", **way, seed_password="not-the-one", seed_fingerprint=certificate)
    assert wrong["error"] == "Unreachable" and "does not accept the root password" in wrong["msg"]
    other = nodes.call("pve2", "proxmox_cluster", **way, seed_password="pvelab", seed_fingerprint="AA:" * 31 + "AA")
    assert other["error"] == "Unreachable" and "another certificate" in other["msg"]
    joined = nodes.change("pve2", "proxmox_cluster", **way, seed_password="pvelab", seed_fingerprint=certificate)
    assert joined["node_state"] == "member"
    assert "pvelab" not in joined["output"]
    left = "grep -rls pvelab /var/log/baremetal-proxmox /run/baremetal-proxmox /run/systemd/transient /var/log/pve; journalctl | grep -c pvelab"
    assert nodes.on("pve2", left).split() == ["0"]
