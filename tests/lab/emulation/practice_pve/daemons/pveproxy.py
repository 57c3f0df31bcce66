# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pveproxy: HTTPS on port 8006, the face of the API."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from practice_pve import settings

from . import certificate_cache
from .dispatch import answer
from .http_message import Request, Response
from .process import main as run_daemon
from .server import Server

PID_FILE = Path("/run/pveproxy/pveproxy.pid")
LOG_FILE = Path("/var/log/pveproxy/access.log")
LOCAL = Path("/etc/pve/local")


def respond(request: Request) -> Response:
    """Answer one request: the API, or the page that loads the web interface."""
    if request.path == "/api2" or request.path.startswith("/api2/"):
        return answer(request, trusted=False)
    if request.path == "/":
        return index_page()
    return Response(404, f"File '{request.path}' not found", b"")


def index_page() -> Response:
    """Return the start page; the interface itself is not part of a practice node."""
    html = (
        '<!DOCTYPE html>\n<html>\n  <head>\n    <meta http-equiv="Content-Type" content="text/html; charset=utf-8">\n'
        f"    <title>{settings.nodename()} - Proxmox Virtual Environment</title>\n  </head>\n"
        "  <body>practice node: the web interface is not emulated</body>\n</html>\n"
    )
    return Response(200, "OK", html.encode(), [("Content-Type", "text/html; charset=utf-8")])


def make_context() -> ssl.SSLContext:
    """Load the certificate that is served from now on."""
    certificate, key = LOCAL / "pve-ssl.pem", LOCAL / "pve-ssl.key"
    if (LOCAL / "pveproxy-ssl.pem").is_file() and (LOCAL / "pveproxy-ssl.key").is_file():
        certificate, key = LOCAL / "pveproxy-ssl.pem", LOCAL / "pveproxy-ssl.key"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def prepare() -> Callable[[], None]:
    """Open the port."""
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", 8006))
    listener.listen(128)
    listener.setblocking(False)
    LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
    certificate_cache.clear()
    return Server(listener, respond, make_context, LOG_FILE).run


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    return run_daemon("pveproxy", PID_FILE, prepare, argv)
