# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's side of the probes: a responder that ends by itself and leaves nothing behind, and the questions to the peers.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.datagrams import Target, answer_probes, probe

TCP_PORTS = (22, 8006)
TCP_PATIENCE = 4.0


def token_of(text: str) -> bytes:
    """The 16 bytes by which the probes of one run know each other."""
    return hashlib.sha256(text.encode()).digest()[:16]


def start_responder(addresses: Sequence[str], token: bytes, seconds: float) -> None:
    """Answer probes in a process of its own that outlives this one, for so long and no longer."""
    if os.fork():
        os.wait()
        return
    # Detached from the login: neither its end nor Ansible's waiting for open files concerns the responder.
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, 256)
    try:
        answer_probes(addresses, token, seconds)
    finally:
        os._exit(0)


def probe_peers(
    peers: Sequence[Mapping[str, Any]], own: Mapping[int, tuple[str, int]], token: bytes
) -> list[dict[str, Any]]:
    """Ask every peer over every common link, and knock at its TCP ports.

    C(peers): name, address, and links (number to address). C(own): number to our address there and its interface's MTU.
    """
    targets = [
        Target(peer["name"], int(number), own[int(number)][0], address, own[int(number)][1])
        for peer in peers
        for number, address in peer["links"].items()
        if int(number) in own
    ]
    with ThreadPoolExecutor(max_workers=16) as pool:
        knocks = [pool.submit(_knock, peer["name"], peer["address"], port) for peer in peers for port in TCP_PORTS]
        outcomes = probe(targets, token)
        answers = [knock.result() for knock in knocks]
    for target, outcome in zip(targets, outcomes, strict=True):
        answers.append(
            {
                "kind": "udp",
                "peer": target.peer,
                "remote": target.remote,
                "link": target.link,
                "port": target.port,
                "mtu": target.interface_mtu,
                "sent": outcome.sent,
                "answered": outcome.answered,
                "full_size_answered": outcome.full_size_answered,
                "round_trip": outcome.round_trip,
                "clock_offset": outcome.clock_offset,
                "error": outcome.error,
            }
        )
    return answers


def _knock(peer: str, address: str, port: int) -> dict[str, Any]:
    error = None
    try:
        socket.create_connection((address, port), timeout=TCP_PATIENCE).close()
    except OSError as failure:
        error = failure.strerror or str(failure)
    return {"kind": "tcp", "peer": peer, "remote": address, "port": port, "error": error}
