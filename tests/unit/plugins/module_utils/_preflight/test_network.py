# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes: what they look like on the wire, and what their answers mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.datagrams import Packet, Target, decode
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_network import judge_network


def udp(peer, **changed):
    answer = {
        "kind": "udp",
        "peer": peer,
        "remote": "192.0.2.2",
        "link": 0,
        "port": 5405,
        "mtu": 1500,
        "sent": 4,
        "answered": 4,
    }
    answer |= {"full_size_answered": True, "round_trip": 0.0004, "clock_offset": 0.0, "error": None}
    return answer | changed


def codes(answers):
    return {(finding.code, finding.node, finding.severity) for finding in judge_network(answers)}


def test_all_well():
    assert (
        codes(
            {"a": [udp("b"), {"kind": "tcp", "peer": "b", "remote": "x", "port": 22, "error": None}], "b": [udp("a")]}
        )
        == set()
    )


@pytest.mark.parametrize(
    ("changed", "code", "severity"),
    [
        ({"answered": 0, "round_trip": None, "clock_offset": None}, "udp", "error"),
        ({"error": "cannot send to 192.0.2.2: Network is unreachable", "answered": 0}, "udp", "error"),
        ({"answered": 3}, "packet_loss", "warning"),
        ({"full_size_answered": False}, "mtu", "error"),
        ({"round_trip": 0.02}, "latency", "warning"),
    ],
)
def test_each_trouble_has_its_name(changed, code, severity):
    assert (code, "a", severity) in codes({"a": [udp("b", **changed)], "b": [udp("a")]})


def test_a_closed_tcp_port_names_the_port_and_the_peer():
    (finding,) = judge_network(
        {"a": [{"kind": "tcp", "peer": "b", "remote": "192.0.2.2", "port": 8006, "error": "Connection refused"}]}
    )
    assert "8006" in finding.text
    assert "b (192.0.2.2)" in finding.text


def test_the_clock_that_disagrees_with_all_is_the_wrong_one():
    answers = {
        "a": [udp("b", clock_offset=0.01), udp("c", clock_offset=100.0)],
        "b": [udp("a", clock_offset=-0.01), udp("c", clock_offset=100.0)],
        "c": [udp("a", clock_offset=-100.0), udp("b", clock_offset=-100.0)],
    }
    assert codes(answers) == {("clock", "c", "error")}


def test_of_two_clocks_one_is_told_and_a_small_gap_is_a_warning():
    answers = {"a": [udp("b", clock_offset=3.0)], "b": [udp("a", clock_offset=-3.0)]}
    assert codes(answers) == {("clock", "a", "warning")}


def test_two_against_two_are_told():
    offsets = {
        "a": {"b": 0, "c": 50, "d": 50},
        "b": {"a": 0, "c": 50, "d": 50},
        "c": {"a": -50, "b": -50, "d": 0},
        "d": {"a": -50, "b": -50, "c": 0},
    }
    answers = {
        host: [udp(peer, clock_offset=float(value)) for peer, value in peers.items()] for host, peers in offsets.items()
    }
    assert len(judge_network(answers)) == 1


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.floats(0, 2e9), st.integers(0, 9000))
def test_a_packet_survives_the_wire_and_its_padding(token, nonce, clock, size):
    packet = Packet(b"?", token, nonce, clock)
    payload = packet.encode(size)
    assert decode(payload) == packet
    assert len(payload) >= size


@given(st.binary(max_size=200))
def test_what_is_no_probe_is_nothing(payload):
    assert decode(payload) is None


@pytest.mark.parametrize(("local", "payload"), [("192.0.2.1", 1500 - 28), ("2001:db8::1", 1500 - 48)])
def test_a_full_packet_fills_the_interface(local, payload):
    assert Target("b", 1, local, local, 1500).full_payload == payload
