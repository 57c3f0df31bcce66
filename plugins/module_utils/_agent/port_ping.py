# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask an agent for a sign of life at its socket, on the node that runs the guest.

Why not the API: a ping of a hung agent keeps one of pvedaemon's three workers busy for its whole time limit, so that ten hung
guests cost four time limits, and everybody else's calls wait behind them. The agent serves one client at a time, so this one
asks once, says good-bye, and leaves everything else to Proxmox VE.
"""

from __future__ import annotations

import json
import os
import socket
import time

SOCKETS = "/var/run/qemu-server"
#: Proxmox VE's own limit for a ping.
SECONDS = 3.0


def ping_port(vmid: int, seconds: float = SECONDS, directory: str = SOCKETS) -> bool | None:
    """Whether the agent has answered in time; None where its socket is not to be had: another node, another user."""
    path = os.path.join(directory, f"{vmid}.qga")
    mark = int.from_bytes(os.urandom(4), "big")
    # Whatever an earlier client left half said ends at the byte 0xff; what the agent says from there on is meant for this one.
    question = b"\xff" + json.dumps({"execute": "guest-sync-delimited", "arguments": {"id": mark}}).encode() + b"\n"
    end = time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(path)
            connection.sendall(question)
            heard = b""
            while not _is_answered(heard, mark):
                connection.settimeout(max(end - time.monotonic(), 0.01))
                part = connection.recv(65536)
                if not part:
                    return False
                heard += part
            return True
    except TimeoutError:
        return False
    except OSError:
        return None


def _is_answered(heard: bytes, mark: int) -> bool:
    for line in heard.rpartition(b"\xff")[2].splitlines():
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and answer.get("return") == mark:
            return True
    return False
