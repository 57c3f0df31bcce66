# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting at the end: for an agent, an address, cloud-init; and not at all where it would be in vain."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest import waiting
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import GuestError
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.state import GuestState
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.waiting import wait_for_guest
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import Failed
from fake_session import FakeSession, InTurn

MAC = "BC:24:11:00:00:01"
BASE = "/nodes/pve1/qemu/100"
NOT_RUNNING = Failed("QEMU guest agent is not running", status=500)
LOOPBACK = {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [{"ip-address": "127.0.0.1"}]}
BRIDGE = {"name": "docker0", "hardware-address": "02:42:00:00:00:01", "ip-addresses": [{"ip-address": "172.17.0.1"}]}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(waiting.time, "monotonic", one.monotonic)
    monkeypatch.setattr(waiting.time, "sleep", one.sleep)
    return one


def card(*addresses: str) -> dict[str, Any]:
    return {"name": "eth0", "hardware-address": MAC.lower(), "ip-addresses": [{"ip-address": one} for one in addresses]}


def answers(agent: str = "1", uptime: int = 30, **more: Any) -> dict[tuple[str, str], Any]:
    """A running machine on another node than the session's, so that everything goes through the API."""
    known = {
        ("GET", f"{BASE}/pending"): [
            {"key": "agent", "value": agent},
            {"key": "net0", "value": f"virtio={MAC},bridge=vmbr0"},
        ],
        ("GET", f"{BASE}/status/current"): {"status": "running", "qmpstatus": "running", "uptime": uptime},
        ("POST", f"{BASE}/monitor"): Failed("no rights", status=403),
        ("POST", f"{BASE}/agent/ping"): {"result": {}},
        ("POST", f"{BASE}/agent/fsfreeze-status"): {"result": "thawed"},
    }
    for command, answer in more.items():
        method = "POST" if command == "exec" else "GET"
        known[method, f"{BASE}/agent/{command.replace('_', '-')}"] = answer
    return known


def session(known: dict[tuple[str, str], Any]) -> FakeSession:
    return FakeSession(known, node=None)


def machine(status: str = "running") -> GuestState:
    return GuestState(100, "pve1", "web1", status=status)


def test_an_agent_that_comes_up_is_waited_for() -> None:
    known = answers()
    known["POST", f"{BASE}/agent/ping"] = InTurn(NOT_RUNNING, NOT_RUNNING, {"result": {}})
    assert wait_for_guest(session(known), machine(), {"agent": True}) == {"reason": "ok"}


def test_the_address_is_that_of_the_card() -> None:
    known = answers(
        network_get_interfaces=InTurn(
            {"result": [LOOPBACK, BRIDGE, card("fe80::1")]},
            {"result": [LOOPBACK, BRIDGE, card("fe80::1", "169.254.0.9", "192.0.2.11")]},
        )
    )
    found = wait_for_guest(session(known), machine(), {"ipv4": True})
    assert found == {"reason": "ok", "primary_ipv4": "192.0.2.11"}


def test_nobody_waits_where_it_is_in_vain(clock: Clock) -> None:
    with pytest.raises(GuestError, match="wait_for: agent_disabled: ") as caught:
        wait_for_guest(session(answers(agent="0")), machine(), {"agent": True, "timeout": 600})
    assert caught.value.remedy
    assert clock.now == 0
    with pytest.raises(GuestError, match="the guest does not run"):
        wait_for_guest(session({}), machine("stopped"), {"agent": True})


def test_the_last_cause_is_told_when_the_time_is_over(clock: Clock) -> None:
    known = answers()
    known["POST", f"{BASE}/agent/ping"] = NOT_RUNNING
    with pytest.raises(GuestError, match=r"waited 20 s for the agent to answer\. Last seen: booting"):
        wait_for_guest(session(known), machine(), {"agent": True, "timeout": 20})
    assert 20 <= clock.now <= 22


@pytest.mark.parametrize(("status", "ends"), [("done", True), ("disabled", True), ("error", False)])
def test_cloud_init_is_asked_until_it_is_done(status: str, ends: bool) -> None:
    told = InTurn(
        {"exited": 1, "exitcode": 0, "out-data": "status: running\n"},
        {"exited": 1, "exitcode": 0, "out-data": f"status: {status}\n"},
    )
    known = answers(exec={"pid": 5}, exec_status=told)
    if ends:
        assert wait_for_guest(session(known), machine(), {"cloud_init": True})["cloud_init"] == "done"
    else:
        with pytest.raises(GuestError, match="cloud-init ended with an error"):
            wait_for_guest(session(known), machine(), {"cloud_init": True})


@pytest.mark.parametrize(
    "row",
    [
        {"name": "eth0", "hardware-address": MAC, "ip-addresses": [{"ip-address": "192.0.2.5", "ip-address-type": "inet"}]},
        {"name": "eth0", "hwaddr": MAC.lower(), "inet": "192.0.2.5/24", "inet6": "fe80::1/64"},
    ],
)  # fmt: skip
def test_a_container_is_seen_from_its_node(row: dict[str, Any]) -> None:
    path = ("GET", "/nodes/pve1/lxc/100/interfaces")
    known: dict[tuple[str, str], Any] = {path: InTurn(Failed("CT 100 not running"), [LOOPBACK], [LOOPBACK, row])}
    config = {"net0": f"name=eth0,bridge=vmbr0,hwaddr={MAC},type=veth"}
    state = GuestState(100, "pve1", "ct1", kind="lxc", status="running", config=config)
    assert wait_for_guest(session(known), state, {"ip": True}) == {"reason": "ok", "primary_ipv4": "192.0.2.5"}
