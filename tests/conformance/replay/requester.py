# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak HTTPS to practice nodes; runs as a program of its own inside a lab's network namespace.

One JSON object a line on standard input (host, port, method, path, headers, body, timeout), one a line back
(status_line, headers, body, seconds, error). Raw sockets, because the reason phrase and each header are compared.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import time
from typing import Any


def main() -> None:
    for line in sys.stdin:
        question = json.loads(line)
        started = time.monotonic()
        try:
            answer = ask(question)
        except OSError as error:
            answer = {"status_line": "", "headers": [], "body": "", "error": str(error)}
        answer["seconds"] = time.monotonic() - started
        print(json.dumps(answer), flush=True)


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """One request on a connection of its own, as curl makes it."""
    host, port = question["host"], int(question.get("port", 8006))
    body = question.get("body", "").encode()
    lines = [
        f"{question['method']} {question['path']} HTTP/1.1",
        f"Host: {host}:{port}",
        "User-Agent: curl/8.14.1",
        "Accept: */*",
    ]
    lines += question.get("headers", [])
    if body or question["method"] in {"POST", "PUT"}:
        lines.append(f"Content-Length: {len(body)}")
    request = "\r\n".join([*lines, "", ""]).encode() + body
    deadline = time.monotonic() + float(question.get("timeout", 60))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=_left(deadline)) as plain, context.wrap_socket(plain) as secure:
        secure.settimeout(_left(deadline))
        secure.sendall(request)
        return _read(secure, deadline)


def _read(secure: ssl.SSLSocket, deadline: float) -> dict[str, Any]:
    received = b""
    while b"\r\n\r\n" not in received and (part := _receive(secure, deadline)):
        received += part
    head, _separator, body = received.partition(b"\r\n\r\n")
    status_line, *headers = head.decode("utf-8", "replace").split("\r\n")
    length = next(
        (int(header.split(":", 1)[1]) for header in headers if header.lower().startswith("content-length:")), None
    )
    while (length is None or len(body) < length) and (part := _receive(secure, deadline)):
        body += part
    return {"status_line": status_line, "headers": headers, "body": body.decode("utf-8", "replace")}


def _receive(secure: ssl.SSLSocket, deadline: float) -> bytes:
    secure.settimeout(_left(deadline))
    try:
        return secure.recv(65536)
    except (ssl.SSLEOFError, ConnectionResetError):
        return b""


def _left(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())


if __name__ == "__main__":
    main()
