# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forwarding a request: to this node's pvedaemon (plain, port 85) or to another node's pveproxy (TLS, port 8006)."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import socket
import ssl
from typing import Any
from urllib.parse import urlencode

from practice_pve.rest.json_text import to_json

from .certificate_cache import is_trusted
from .http_message import Request, Response

TIMEOUT = 30
CONNECT_FAILED, TRANSFER_FAILED = 595, 596
VERIFY_FAILED = "error:0A000086:SSL routines::certificate verify failed"


def relay(
    request: Request, params: dict[str, Any], headers: dict[str, str], *, node: str | None, address: str
) -> Response:
    """Return the other side's answer, or what AnyEvent::HTTP says when there is none."""
    try:
        connection = connect(node, address)
    except OSError as error:
        return Response(CONNECT_FAILED, reason(error))
    try:
        if node is not None:
            certificate = secure(connection)
            if not is_trusted(node, certificate):
                return Response(TRANSFER_FAILED, VERIFY_FAILED)
        return exchange(connection, request, params, headers, keep=node is not None and request.method == "GET")
    except ssl.SSLError as error:
        return Response(TRANSFER_FAILED, f"error:{error.reason or 'SSL error'}")
    except (http.client.HTTPException, ConnectionError):
        # the other side closed without a word
        return Response(TRANSFER_FAILED, "Broken pipe")
    except OSError as error:
        return Response(TRANSFER_FAILED, reason(error))
    finally:
        connection.close()


def reason(error: OSError) -> str:
    """Return the system's words for a failure."""
    if isinstance(error, TimeoutError):
        return os.strerror(errno.ETIMEDOUT)
    return os.strerror(error.errno) if error.errno else str(error)


def connect(node: str | None, address: str) -> http.client.HTTPConnection:
    """Open the TCP connection."""
    if node is None:
        connection = http.client.HTTPConnection("127.0.0.1", 85, timeout=None)
    else:
        connection = http.client.HTTPConnection(address, 8006, timeout=TIMEOUT)
    connection.connect()
    return connection


def secure(connection: http.client.HTTPConnection) -> bytes:
    """Speak TLS from here on; return the fingerprint of the certificate that the other side shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # the certificate is pinned (certificate_cache), its chain does not matter
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    secured = context.wrap_socket(connection.sock)
    connection.sock = secured
    return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").digest()


def exchange(
    connection: http.client.HTTPConnection,
    request: Request,
    params: dict[str, Any],
    headers: dict[str, str],
    *,
    keep: bool,
) -> Response:
    """Send the request, return the answer."""
    body: bytes | None = None
    if request.method in ("POST", "PUT"):
        if "application/json" in (request.header("content-type") or ""):
            headers["Content-Type"] = "application/json"
            body = to_json(params, sort_keys=False).encode("utf-8")
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            given = {key: "" if value is None else value for key, value in params.items()}
            body = urlencode(given, doseq=True).encode("ascii")
    connection.putrequest(request.method, request.uri, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Connection", "keep-alive" if keep else "close")
    connection.endheaders(body)
    # without a limit for pvedaemon: a method may hold a lock for long
    if isinstance(connection.sock, socket.socket) and connection.timeout is None:
        connection.sock.settimeout(None)
    received = connection.getresponse()
    content = received.read()
    kept = [(name, value) for name, value in received.getheaders() if name.lower() not in ("content-length",)]
    return Response(received.status, received.reason, content, kept, compress=False)
