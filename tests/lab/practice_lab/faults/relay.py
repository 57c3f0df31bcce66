# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold back every frame of a link for a while: a two-port relay between a node's bridge port and the bridge.

Run as a program in the controller namespace. Kernels without the netem queue have no other means of delay.
Frames travel with their virtio header, so that checksums and segmentation which the sender left to its "card" survive.
"""

from __future__ import annotations

import heapq
import random
import select
import socket
import sys
import time

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
LARGEST = 10 + 14 + 65536


def open_port(name: str) -> socket.socket:
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    port.bind((name, ETH_P_ALL))
    port.setblocking(False)
    return port


def relay(first: socket.socket, second: socket.socket, seconds: float, jitter: float) -> None:
    """Pass frames both ways; the order within a direction is kept, also with jitter."""
    waiting: list[tuple[float, int, socket.socket, bytes]] = []
    last = {first: 0.0, second: 0.0}
    number = 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(waiting)
            try:
                target.send(frame)
            except OSError:  # a full queue or a port that is down loses frames, as on a wire
                continue
        timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([first, second], [], [], timeout)
        for port in readable:
            other = second if port is first else first
            for _ in range(64):
                try:
                    frame = port.recv(LARGEST)
                except OSError:  # nothing more to read; or the port is down, and may come up again
                    break
                due = max(last[other], time.monotonic() + seconds + random.uniform(0, jitter))
                last[other] = due
                number += 1
                heapq.heappush(waiting, (due, number, other, frame))


if __name__ == "__main__":
    # argv[1] names the relay for whoever looks at the process list.
    ports = open_port(sys.argv[2]), open_port(sys.argv[3])
    print("ready", flush=True)
    relay(*ports, float(sys.argv[4]) / 1000, float(sys.argv[5]) / 1000)
