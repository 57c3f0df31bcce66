# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on the wire are really there, reach no further than they say, and go away."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from busy_machine import allow
from practice_lab import Lab, LabError, LabSpec, NodeSpec

UDP_ECHO = """
import socket, threading
def serve(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    while True:
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
for port in (5405, 5406):
    threading.Thread(target=serve, args=(port,)).start()
"""
UDP_ASK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
try:
    sys.exit(0 if s.recv(10) == b"x" else 2)
except TimeoutError:
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    spec = LabSpec(networks=["10.99.0.0/24", "10.99.1.0/24"])
    spec.nodes = [NodeSpec("pve1"), NodeSpec("pve2"), NodeSpec("pve3")]
    lab = make_lab().up(spec=spec)
    for node in lab.nodes():
        null = subprocess.DEVNULL
        subprocess.Popen(node.command(["python3", "-c", UDP_ECHO]), stdin=null, stdout=null, stderr=null)
    return lab


@pytest.fixture(autouse=True)
def whole_again(lab: Lab):
    yield
    lab.heal()
    assert lab.faults() == []
    assert lab.exec(["nft", "list", "ruleset"]).stdout == ""
    assert ping(lab, "pve2", "10.99.0.11") and ping(lab, "pve2", "10.99.1.11")


def ping(lab: Lab, node: str, address: str) -> bool:
    return lab.node(node).run(["ping", "-c1", "-W1", address]).rc == 0


def udp(lab: Lab, node: str, address: str, port: int = 5405) -> bool:
    return lab.node(node).run(["python3", "-c", UDP_ASK, address, str(port)]).rc == 0


def tcp(lab: Lab, node: str, address: str, port: int = 22) -> bool:
    program = f"import socket; print(socket.create_connection(({address!r}, {port}), 1).recv(4))"
    return lab.node(node).run(["python3", "-c", program]).stdout == "b'SSH-'\n"


def test_without_faults_everything_passes(lab: Lab):
    for address in ("10.99.0.11", "10.99.1.11"):
        assert ping(lab, "pve2", address) and udp(lab, "pve2", address) and tcp(lab, "pve2", address)
    assert udp(lab, "pve2", "10.99.0.11", 5406)


def test_a_cut_node_is_cut_on_all_links_and_from_the_controller(lab: Lab):
    lab.fault("cut", "pve1")
    for address in ("10.99.0.11", "10.99.1.11"):
        assert not ping(lab, "pve2", address)
        assert not tcp(lab, "pve2", address)
    assert not ping(lab, "pve1", "10.99.0.12")
    assert lab.exec(["ping", "-c1", "-W1", "10.99.0.11"]).rc != 0
    assert ping(lab, "pve2", "10.99.0.13")


def test_one_link_can_be_cut(lab: Lab):
    lab.fault("cut", "pve1", link=1)
    assert not ping(lab, "pve2", "10.99.1.11")
    assert ping(lab, "pve2", "10.99.0.11")


def test_a_udp_cut_lets_no_udp_through_and_all_else(lab: Lab):
    lab.fault("cut", "pve1", protocol="udp")
    for address in ("10.99.0.11", "10.99.1.11"):
        assert not udp(lab, "pve2", address)
        assert not udp(lab, "pve2", address, 5406)
        assert tcp(lab, "pve2", address) and ping(lab, "pve2", address)
    assert not udp(lab, "pve1", "10.99.0.12")
    assert udp(lab, "pve2", "10.99.0.13")


def test_one_port_can_be_cut(lab: Lab):
    lab.fault("cut", "pve1", protocol="udp", port=5405)
    assert not udp(lab, "pve2", "10.99.0.11", 5405)
    assert not udp(lab, "pve1", "10.99.0.12", 5405)
    assert udp(lab, "pve2", "10.99.0.11", 5406)
    lab.heal()
    lab.fault("cut", "pve1", port=22)
    assert not tcp(lab, "pve2", "10.99.0.11")
    assert udp(lab, "pve2", "10.99.0.11")


@pytest.mark.parametrize(("direction", "received_by_node"), [("out", True), ("in", False)])
def test_one_direction_can_be_cut(lab: Lab, direction: str, received_by_node: bool):
    """Watched on the node's card: does the question arrive, does the answer leave it without reaching the asker?"""
    node = lab.node("pve1")
    assert ping(lab, "pve2", "10.99.1.11")  # neighbour entries are there: the fault shall hit the echo itself
    lab.fault("cut", "pve1", direction=direction, link=1)
    before = echo_requests(lab)
    assert not ping(lab, "pve2", "10.99.1.11")
    assert (echo_requests(lab) > before) is received_by_node
    assert node.run(["true"]).rc == 0


def echo_requests(lab: Lab) -> int:
    lines = [
        line.split()
        for line in lab.node("pve1").run(["cat", "/proc/net/snmp"]).stdout.splitlines()
        if line.startswith("Icmp:")
    ]
    return int(lines[1][lines[0].index("InEchos")])


def test_two_nodes_can_be_cut_from_each_other_only(lab: Lab):
    lab.fault("cut", "pve1", peer="pve2")
    for address in ("10.99.0.11", "10.99.1.11"):
        assert not ping(lab, "pve2", address)
        assert ping(lab, "pve3", address)
    assert lab.exec(["ping", "-c1", "-W1", "10.99.0.11"]).rc == 0


def test_loss(lab: Lab):
    lab.fault("loss", "pve1", percent=50, direction="in")
    done = lab.node("pve2").run(["ping", "-q", "-c", "200", "-i", "0.005", "-W", "1", "10.99.0.11"])
    lost = float(re.search(r"([\d.]+)% packet loss", done.stdout)[1])  # type: ignore[index]
    assert 30 < lost < 70


def test_a_small_mtu_swallows_large_packets_only(lab: Lab):
    lab.fault("mtu", "pve1", bytes=1300)
    assert not large_ping(lab, 1273)
    assert large_ping(lab, 1272)
    # A connection opens and then hangs as soon as it has something to say: the well-known look of a wrong MTU.
    with pytest.raises(subprocess.TimeoutExpired):
        lab.ssh("pve1", "head -c 100000 /dev/zero", timeout=5)
    lab.heal()
    assert large_ping(lab, 1472)
    assert len(lab.ssh("pve1", "head -c 100000 /dev/zero").stdout) == 100000


def large_ping(lab: Lab, size: int) -> bool:
    return lab.node("pve2").run(["ping", "-c1", "-W1", "-M", "do", "-s", str(size), "10.99.0.11"]).rc == 0


def test_delay(lab: Lab):
    quick = round_trip(lab, "10.99.0.11")
    lab.fault("delay", "pve1", milliseconds=40, link=0)
    assert 80 <= round_trip(lab, "10.99.0.11") < 80 + allow(80)
    assert round_trip(lab, "10.99.1.11") < min(allow(20), 70)
    assert lab.ssh("pve1", "cat", stdin="x" * 3_000_000).stdout == "x" * 3_000_000
    with pytest.raises(LabError, match="delayed already"):
        lab.fault("delay", "pve1")
    lab.heal()
    assert round_trip(lab, "10.99.0.11") < 20 + quick


def round_trip(lab: Lab, address: str) -> float:
    lab.node("pve2").run(["ping", "-c1", "-W2", address]).check()
    found = re.search(r"time=([\d.]+) ms", lab.node("pve2").run(["ping", "-c1", "-W2", address]).check().stdout)
    assert found
    return float(found[1])


def test_a_delayed_node_can_be_switched_off(lab: Lab):
    lab.fault("delay", "pve3", milliseconds=5)
    lab.node("pve3").kill()
    assert not ping(lab, "pve2", "10.99.0.13")
    lab.up()
    assert ping(lab, "pve2", "10.99.0.13")


def test_faults_add_up_and_heal_one_by_one(lab: Lab):
    first = lab.fault("cut", "pve1", link=0)
    with lab.fault("cut", "pve1", link=1):
        assert not ping(lab, "pve2", "10.99.1.11")
    assert ping(lab, "pve2", "10.99.1.11") and not ping(lab, "pve2", "10.99.0.11")
    assert [str(fault) for fault in lab.faults()] == [f"{first.record.number}: cut on pve1 link=0 direction=both"]


@pytest.mark.parametrize(
    "options", [{"link": 2}, {"direction": "up"}, {"peer": "nobody"}, {"nonsense": 1}, {"protocol": "sctp"}]
)
def test_wrong_options_are_refused_and_leave_nothing(lab: Lab, options: dict):
    with pytest.raises(LabError):
        lab.fault("cut", "pve1", **options)
    assert lab.faults() == []
