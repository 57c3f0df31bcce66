# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvedaemon: the API with root's rights, plain HTTP on 127.0.0.1:85, for this node only."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from practice_pve.api.cluster_state import INFO_CACHE

from .dispatch import answer
from .http_message import Request, Response
from .process import main as run_daemon
from .server import Server

PID_FILE = Path("/run/pvedaemon.pid")


def respond(request: Request) -> Response:
    """Answer one request. The client's address is what pveproxy says it is."""
    if not request.path.startswith("/api2"):
        return Response(501, f"Method '{request.method} {request.path}' not implemented")
    request.peer = request.header("pveclientip") or request.peer
    return answer(request, trusted=True)


def prepare() -> Callable[[], None]:
    """Open the port; what an earlier daemon remembered of the cluster is forgotten."""
    INFO_CACHE.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 85))
    listener.listen(128)
    listener.setblocking(False)
    return Server(listener, respond).run


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    return run_daemon("pvedaemon", PID_FILE, prepare, argv)
