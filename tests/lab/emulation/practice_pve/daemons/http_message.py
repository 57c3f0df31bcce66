# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as pve-api-daemon/3.0 speaks it: requests read from a socket, answers with PVE's status lines and headers."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import responses
from typing import BinaryIO
from urllib.parse import unquote, unquote_plus

MAX_HEADERS = 64
MAX_HEADER_SIZE = 8 * 1024
MAX_BODY = 512 * 1024
# the order in which Perl's HTTP::Headers prints them
HEADER_ORDER = (
    "Cache-Control", "Connection", "Date", "Pragma", "Upgrade", "Location", "Server", "Allow", "Content-Encoding",
    "Content-Length", "Content-Type", "Expires", "Last-Modified",
)  # fmt: skip


class BadRequest(Exception):
    """A request that gets an error at once: (status, message)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Unsendable(Exception):
    """A status line with characters that Perl cannot write: the connection just ends."""


@dataclass
class Request:
    """One request."""

    method: str
    uri: str
    version: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""

    @property
    def path(self) -> str:
        """The decoded path."""
        return unquote(self.uri.split("?")[0])

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.uri.partition("?")[2]

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return self.headers.get(name.lower())


@dataclass
class Response:
    """One answer. ``headers`` may hold a name twice (forwarded answers do)."""

    status: int
    message: str = ""
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay: float = 0.0
    compress: bool = True


def read_request(stream: BinaryIO, peer: str) -> Request | None:
    """Return the next request, None at the end of the connection."""
    line = stream.readline(MAX_HEADER_SIZE).rstrip(b"\r\n")
    while line == b"":
        following = stream.readline(MAX_HEADER_SIZE)
        if not following:
            return None
        line = following.rstrip(b"\r\n")
    parts = line.decode("latin-1").split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/"):
        raise BadRequest(400, "bad request")
    if not parts[2].startswith("HTTP/1."):
        raise BadRequest(506, f"http protocol version {parts[2][5:]} not supported")
    request = Request(parts[0], parts[1], parts[2], peer=peer)
    read_headers(stream, request)
    return request


def read_headers(stream: BinaryIO, request: Request) -> None:
    """Read the header lines."""
    name = ""
    for _ in range(MAX_HEADERS):
        line = stream.readline(MAX_HEADER_SIZE).rstrip(b"\r\n").decode("latin-1")
        if not line:
            return
        if line[0] in " \t" and name:
            request.headers[name] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(506, "unable to parse request header")
        name = name.strip().lower()
        request.headers[name] = value.strip()
    raise BadRequest(400, "too many http header lines")


def read_body(stream: BinaryIO, request: Request) -> None:
    """Read the body that Content-Length announces."""
    encoding = request.header("transfer-encoding")
    if encoding:
        what = "chunked transfer encoding not supported" if encoding.lower() == "chunked" else ""
        raise BadRequest(501, what or f"Unknown transfer encoding '{encoding}'")
    length = int(request.header("content-length") or 0)
    if not length:
        return
    if request.method not in ("PUT", "POST"):
        raise BadRequest(501, f"Unexpected content for method '{request.method}'")
    if length > MAX_BODY:
        raise BadRequest(501, "for data too large")
    kind = (request.header("content-type") or "").split(";")[0].strip()
    if kind not in ("", "application/x-www-form-urlencoded", "application/json"):
        raise BadRequest(506, f"upload 'Content-Type '{request.header('content-type')}' not implemented")
    request.body = stream.read(length)


def decode_form(text: str) -> dict[str, str | list[str] | None]:
    """Return the parameters of a query or form; repeated ones become a list, one without "=" is undefined."""
    result: dict[str, str | list[str] | None] = {}
    for part in text.replace(";", "&").split("&"):
        if not part:
            continue
        raw_key, equals, raw_value = part.partition("=")
        key = unquote_plus(raw_key)
        # Perl's split drops what follows a second "="
        value: str | list[str] | None = unquote_plus(raw_value.split("=")[0]) if equals else None
        old = result.get(key)
        if old is not None and isinstance(value, str):
            value = [*old, value] if isinstance(old, list) else [old, value]
        result[key] = value
    return result


def wants_keep_alive(request: Request) -> bool:
    """True unless the client asks to close."""
    connection = request.header("connection")
    if connection:
        return "close" not in connection.lower()
    return request.version == "HTTP/1.1"


def first_line(message: str) -> str:
    """Return what goes into the status line: the message's first line."""
    return message.split("\n")[0]


def render(response: Response, request: Request | None, *, keep_alive: bool) -> bytes:
    """Return the bytes of an answer."""
    message = first_line(response.message) or responses.get(response.status, "")
    body = response.body
    headers = [pair for pair in response.headers if pair[0] != "Connection"]
    upstream = [pair for pair in response.headers if pair[0] == "Connection"]
    accepted = (request.header("accept-encoding") or "") if request else ""
    if response.compress and len(body) > 1024:
        if "gzip" in accepted:
            body = gzip.compress(body, 6)
            headers.append(("Content-Encoding", "gzip"))
        elif "deflate" in accepted:
            body = zlib.compress(body)
            headers.append(("Content-Encoding", "deflate"))
    if not any(name == "Last-Modified" for name, _ in headers):
        now = formatdate(usegmt=True)
        headers = [pair for pair in headers if pair[0] not in ("Date", "Expires", "Cache-Control", "Pragma", "Server")]
        headers += [("Date", now), ("Expires", now), ("Cache-Control", "max-age=0"), ("Pragma", "no-cache")]
    headers.append(("Server", "pve-api-daemon/3.0"))
    headers = [pair for pair in headers if pair[0] != "Content-Length"]
    if body:
        headers.append(("Content-Length", str(len(body))))
    # kept connections: the header of a forwarded answer stays and ours is added; closed ones: ours replaces it
    headers += [*upstream, ("Connection", "Keep-Alive")] if keep_alive else [("Connection", "close")]
    order = {name: number for number, name in enumerate(HEADER_ORDER)}
    headers.sort(key=lambda pair: order.get(pair[0], len(order)))
    version = request.version if request else "HTTP/1.0"
    text = f"{version} {response.status} {message}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers)
    try:
        return text.encode("latin-1") + b"\r\n" + body
    except UnicodeEncodeError as error:
        raise Unsendable(message) from error
