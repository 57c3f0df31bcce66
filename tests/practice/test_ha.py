# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest under HA: the managers start it, stop it on request and move it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from busy_machine import allow
from module_runs import Playground


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve2", "pve3")
    playground.found("pve2", "pve3")
    playground.on("pve1", "qm create 110 --memory 64 --name ha")
    return playground


def wait_for(nodes: Playground, words: str, seconds: float) -> float:
    """Until `ha-manager status` has these words."""
    started = time.monotonic()
    while words not in (text := nodes.on("pve2", "ha-manager status")):
        assert time.monotonic() - started < allow(seconds), text
        time.sleep(1)
    return time.monotonic() - started


def test_nobody_manages_nothing(nodes: Playground) -> None:
    assert nodes.on("pve1", "ha-manager status") == "quorum OK\nfencing standby (CRM watchdog standby)\n"
    assert nodes.on("pve1", "ls /etc/pve/priv/lock") == ""


def test_a_guest_is_started_by_its_manager(nodes: Playground) -> None:
    nodes.on("pve1", "ha-manager add vm:110 --state started")
    wait_for(nodes, "vm:110 (pve1, started)", 30)
    assert nodes.on("pve1", "qm status 110") == "status: running\n"
    status = json.loads(nodes.on("pve1", "pvesh get /cluster/ha/status/manager_status --output-format json"))
    assert status["lrm_status"]["pve1"]["state"] == "active" and status["lrm_status"]["pve2"]["state"] != "active"


def test_a_stop_is_only_requested(nodes: Playground) -> None:
    assert nodes.on("pve1", "qm stop 110; qm status 110") == "Requesting HA stop for VM 110\nstatus: running\n"
    wait_for(nodes, "vm:110 (pve1, stopped)", 40)
    assert nodes.on("pve1", "qm status 110; ha-manager config") == "status: stopped\nvm:110\n\tstate stopped\n\n"
    nodes.on("pve1", "qm start 110")
    wait_for(nodes, "vm:110 (pve1, started)", 40)


def test_a_guest_moves_on_command(nodes: Playground) -> None:
    nodes.on("pve1", "ha-manager migrate vm:110 pve3")
    wait_for(nodes, "vm:110 (pve3, started)", 60)
    assert nodes.on("pve3", "qm status 110") == "status: running\n"
