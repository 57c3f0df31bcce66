# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams that look like corosync's to every firewall on the way, and the two ends that exchange them.

This file is private to the collection and may change without notice.

A probe goes from port 5405+link of one node to the same port of the other, as corosync's own packets do. Both ends use raw
sockets: they see what has passed the node's own firewall, also where a running corosync has the port already, and they need no
port of their own. The answer to a probe proves both directions, tells the peer's clock, and how long the way takes.
"""

from __future__ import annotations

import ipaddress
import os
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

COROSYNC_PORT = 5405
_MAGIC = b"baremetal.proxmox preflight\0"
_REQUEST, _ANSWER = b"?", b"!"
_UDP_HEADER = struct.Struct("!HHHH")
# kind, nonce, the answering node's clock
_BODY = struct.Struct("!c8sd")
SMALLEST = len(_MAGIC) + 16 + _BODY.size


@dataclass(frozen=True)
class Packet:
    """A probe or its answer, as it lies in a datagram."""

    kind: bytes
    token: bytes
    nonce: bytes
    clock: float

    def encode(self, size: int = 0) -> bytes:
        return (_MAGIC + self.token + _BODY.pack(self.kind, self.nonce, self.clock)).ljust(size, b"\0")


def decode(payload: bytes) -> Packet | None:
    """The packet in a datagram's payload; None for everything else that passes on this port."""
    if len(payload) < SMALLEST or not payload.startswith(_MAGIC):
        return None
    token = payload[len(_MAGIC) : len(_MAGIC) + 16]
    kind, nonce, clock = _BODY.unpack_from(payload, len(_MAGIC) + 16)
    return Packet(kind, token, nonce, clock)


@dataclass(frozen=True)
class Received:
    packet: Packet
    source: str
    port: int


def _is_version_6(address: str) -> bool:
    return ipaddress.ip_address(address).version == 6


class Wire:
    """A raw UDP socket on one local address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.version_6 = _is_version_6(address)
        family = socket.AF_INET6 if self.version_6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP)
        self._socket.bind((address, 0))
        if self.version_6:
            # The kernel fills in the checksum, which IPv6 demands; its place is 6 bytes into the UDP header.
            self._socket.setsockopt(socket.IPPROTO_IPV6, 7, 6)  # IPV6_CHECKSUM
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DONTFRAG, 1)
        else:
            # 3: IP_PMTUDISC_PROBE of <linux/in.h>: set "don't fragment" and ignore what the kernel believes of the path.
            self._socket.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, peer: str, port: int, payload: bytes) -> None:
        header = _UDP_HEADER.pack(port, port, _UDP_HEADER.size + len(payload), 0)
        self._socket.sendto(header + payload, (peer, 0))

    def receive(self) -> Received | None:
        datagram, source = self._socket.recvfrom(65535)
        # For IPv4 the kernel hands the IP header over as well; its length stands in its first byte, in words.
        start = 0 if self.version_6 else (datagram[0] & 0x0F) * 4
        if len(datagram) < start + _UDP_HEADER.size:
            return None
        _source_port, port, _length, _checksum = _UDP_HEADER.unpack_from(datagram, start)
        packet = decode(datagram[start + _UDP_HEADER.size :])
        return None if packet is None else Received(packet, source[0], port)


def answer_probes(addresses: Sequence[str], token: bytes, seconds: float) -> None:
    """Answer every probe that carries the token, until the time is over. Answers are as small as they can be."""
    wires = [Wire(address) for address in addresses]
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        readable, _writable, _errors = select.select(wires, [], [], left)
        for wire in readable:
            received = wire.receive()
            if received is None or received.packet.kind != _REQUEST or received.packet.token != token:
                continue
            answer = Packet(_ANSWER, token, received.packet.nonce, time.time())
            try:
                wire.send(received.source, received.port, answer.encode())
            except OSError:
                continue  # the way back is closed: that is what the probe is about


@dataclass(frozen=True)
class Target:
    """Where to probe: a peer's address on a link, seen from our address on it."""

    peer: str
    link: int
    local: str
    remote: str
    interface_mtu: int

    @property
    def port(self) -> int:
        return COROSYNC_PORT + self.link

    @property
    def full_payload(self) -> int:
        """The payload that fills the interface's largest packet: IP header and UDP header taken off."""
        return self.interface_mtu - (40 if _is_version_6(self.local) else 20) - _UDP_HEADER.size


@dataclass
class Outcome:
    """What came back. C(round_trip) and C(clock_offset) are of the quickest answer, the one that is the least disturbed."""

    sent: int = 0
    answered: int = 0
    full_size_answered: bool = False
    round_trip: float | None = None
    clock_offset: float | None = None
    error: str | None = None


def probe(
    targets: Sequence[Target], token: bytes, attempts: int = 4, pause: float = 0.15, patience: float = 1.2
) -> list[Outcome]:
    """Probe all targets at once: some small packets each, every one of them also in full size."""
    outcomes = [Outcome() for _target in targets]
    wires: dict[str, Wire] = {}
    waiting: dict[bytes, tuple[int, float, float, bool]] = {}
    try:
        for index, target in enumerate(targets):
            try:
                wires.setdefault(target.local, Wire(target.local)) if target.local not in wires else None
            except OSError as error:
                outcomes[index].error = f"{target.local} is not usable here: {error.strerror}"
        for _attempt in range(attempts):
            for index, target in enumerate(targets):
                if outcomes[index].error is None:
                    _send_pair(wires[target.local], target, index, token, waiting, outcomes[index])
            _collect(wires, waiting, outcomes, token, pause)
        _collect(wires, waiting, outcomes, token, patience)
    finally:
        for wire in wires.values():
            wire.close()
    return outcomes


def _send_pair(
    wire: Wire,
    target: Target,
    index: int,
    token: bytes,
    waiting: dict[bytes, tuple[int, float, float, bool]],
    outcome: Outcome,
) -> None:
    for full in (False, True):
        nonce = os.urandom(8)
        payload = Packet(_REQUEST, token, nonce, 0.0).encode(target.full_payload if full else 0)
        waiting[nonce] = (index, time.monotonic(), time.time(), full)
        try:
            wire.send(target.remote, target.port, payload)
        except OSError as error:
            if not full:  # a full packet that does not even leave is a finding about its size, not about the way
                outcome.error = f"cannot send to {target.remote}: {error.strerror}"
        if not full:
            outcome.sent += 1


def _collect(
    wires: dict[str, Wire],
    waiting: dict[bytes, tuple[int, float, float, bool]],
    outcomes: list[Outcome],
    token: bytes,
    seconds: float,
) -> None:
    for received in _receive_until(list(wires.values()), time.monotonic() + seconds, waiting):
        if received.packet.kind != _ANSWER or received.packet.token != token:
            continue
        found = waiting.pop(received.packet.nonce, None)
        if found is None:
            continue
        index, sent_at, sent_clock, full = found
        outcome = outcomes[index]
        if full:
            outcome.full_size_answered = True
            continue
        outcome.answered += 1
        took = time.monotonic() - sent_at
        if outcome.round_trip is None or took < outcome.round_trip:
            outcome.round_trip = took
            outcome.clock_offset = received.packet.clock - (sent_clock + took / 2)


def _receive_until(
    wires: list[Wire], end: float, waiting: dict[bytes, tuple[int, float, float, bool]]
) -> Iterator[Received]:
    while waiting and (left := end - time.monotonic()) > 0:
        readable, _writable, _errors = select.select(wires, [], [], left)
        for wire in readable:
            received = wire.receive()
            if received is not None:
                yield received
