# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP: parsing, status lines and headers, JSON errors, connections that are kept and that are not."""

from __future__ import annotations

import io
import socket
import threading

import pytest

from practice_pve.daemons import json_body
from practice_pve.daemons.certificate_cache import check as check_cache
from practice_pve.daemons.connection import Connection
from practice_pve.daemons.dispatch import extract_value, format_result, merge
from practice_pve.daemons.http_message import (
    BadRequest,
    Request,
    Response,
    Unsendable,
    decode_form,
    read_body,
    read_request,
    render,
    wants_keep_alive,
)
from practice_pve.rest.errors import ParameterErrors


def parse(text: str) -> Request:
    stream = io.BytesIO(text.replace("\n", "\r\n").encode())
    request = read_request(stream, "127.0.0.1")
    assert request is not None
    read_body(stream, request)
    return request


def header_names(data: bytes) -> list[str]:
    return [line.split(b":")[0].decode() for line in data.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]]


def test_request_with_body() -> None:
    request = parse("POST /api2/json/x%20y?a=1 HTTP/1.1\nHost: h\nContent-Length: 3\n\nb=2")
    assert (request.method, request.path, request.query, request.body) == ("POST", "/api2/json/x y", "a=1", b"b=2")
    assert wants_keep_alive(request)
    assert not wants_keep_alive(parse("GET / HTTP/1.1\nConnection: close\n\n"))
    assert not wants_keep_alive(parse("GET / HTTP/1.0\n\n"))


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("nonsense\n\n", 400, "bad request"),
        ("GET / HTTP/2.0\n\n", 506, "http protocol version 2.0 not supported"),
        ("GET / HTTP/1.1\nbroken\n\n", 506, "unable to parse request header"),
        ("GET / HTTP/1.1\nContent-Length: 1\n\nx", 501, "Unexpected content for method 'GET'"),
        ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n", 501, "chunked transfer encoding not supported"),
        ("POST / HTTP/1.1\nContent-Length: 9999999\n\n", 501, "for data too large"),
    ],
)
def test_requests_that_are_refused(text: str, status: int, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(text)
    assert (caught.value.status, caught.value.message) == (status, message)


def test_forms() -> None:
    assert decode_form("a=1&b=x+y%21&a=2&flag&c=%C3%BC") == {"a": ["1", "2"], "b": "x y!", "flag": None, "c": "ü"}


def test_recorded_headers_of_an_error() -> None:
    response = Response(501, "Method 'GET /x' not implemented", b"{}", [("Content-Type", "application/json")])
    data = render(response, parse("GET /x HTTP/1.1\n\n"), keep_alive=False)
    assert data.startswith(b"HTTP/1.1 501 Method 'GET /x' not implemented\r\n")
    assert header_names(data) == [
        "Cache-Control", "Connection", "Date", "Pragma", "Server", "Content-Length", "Content-Type", "Expires",
    ]  # fmt: skip


def test_recorded_headers_of_a_401() -> None:
    data = render(Response(401, "No ticket\n"), parse("GET /x HTTP/1.1\n\n"), keep_alive=False)
    assert data.startswith(b"HTTP/1.1 401 No ticket\r\n")
    assert header_names(data) == ["Cache-Control", "Connection", "Date", "Pragma", "Server", "Expires"]
    assert data.endswith(b"\r\n\r\n")


def test_forwarded_answers_have_two_connection_headers() -> None:
    data = render(Response(200, "OK", b"x", [("Connection", "close")]), None, keep_alive=True)
    assert data.count(b"Connection: ") == 2
    assert b"Connection: close\r\nConnection: Keep-Alive\r\n" in data
    data = render(Response(500, "no", b"x", [("Connection", "Keep-Alive")]), None, keep_alive=False)
    assert data.count(b"Connection: ") == 1


def test_characters_that_perl_cannot_send() -> None:
    with pytest.raises(Unsendable):
        render(Response(500, "Failed \u201cquoted\u201d"), None, keep_alive=False)


def test_compression_on_demand() -> None:
    request = parse("GET / HTTP/1.1\nAccept-Encoding: gzip\n\n")
    assert b"Content-Encoding: gzip" in render(Response(200, "OK", b"x" * 2000), request, keep_alive=True)
    assert b"Content-Encoding" not in render(Response(200, "OK", b"x" * 100), request, keep_alive=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{bad", '\'"\' expected, at character offset 1 (before "bad")'),
        (
            b"",
            'malformed JSON string, neither tag, array, object, number, string or atom, at character offset 0 (before "',
        ),
        (b'{"a":1 "b"}', ', or } expected while parsing object/hash, at character offset 7 (before ""b"}")'),
        (b"[]", "Not a HASH reference"),
    ],
)
def test_bad_json(body: bytes, words: str) -> None:
    with pytest.raises(json_body.BadJson) as caught:
        json_body.decode(body)
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith(" at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.\n")


def test_credentials_in_headers() -> None:
    assert extract_value("a=b; PVEAuthCookie=PVE%3Aroot", "PVEAuthCookie") == "PVE:root"
    assert extract_value("PVEAPIToken=root@pam!x=1-2", "PVEAPIToken") == "root@pam!x=1-2"
    assert extract_value("PVEAPIToken root@pam!x=1-2", "PVEAPIToken") == "root@pam!x=1-2"
    assert extract_value(None, "PVEAPIToken") is None


def test_path_and_body_must_agree() -> None:
    assert merge({"a": "1"}, {"node": "pve1"}) == {"a": "1", "node": "pve1"}
    with pytest.raises(ParameterErrors, match="Parameter verification failed"):
        merge({"node": "pve2"}, {"node": "pve1"})


def test_answer_formats() -> None:
    bad = format_result("json", 400, "Parameter verification failed.\n", None, {"a": "b"}, {}, 0)
    assert bad.body == b'{"data":null,"errors":{"a":"b"},"message":"Parameter verification failed.\\n"}'
    extjs = format_result("extjs", 500, "no\n", None, None, {}, 0)
    assert (extjs.status, extjs.body) == (200, b'{"data":null,"message":"no\\n","status":500,"success":0}')
    listing = format_result("json", 200, "OK", [], None, {"total": 3}, 0)
    assert listing.body == b'{"data":[],"total":3}'


def serve(answer: object, sent: bytes) -> bytes:
    """Return what a connection answers to some bytes."""
    ours, theirs = socket.socketpair()
    connection = Connection.__new__(Connection)
    connection.client, connection.peer, connection.answer = theirs, "127.0.0.1", answer  # type: ignore[assignment]
    connection.log_file, connection.ending = None, False
    thread = threading.Thread(target=connection.serve, args=(None,))
    thread.start()
    ours.sendall(sent)
    ours.shutdown(socket.SHUT_WR)
    received = b""
    while data := ours.recv(65536):
        received += data
    thread.join(timeout=10)
    ours.close()
    return received


def test_kept_connection_ends_with_an_error() -> None:
    answers = iter([Response(200, "OK", b"1"), Response(500, "no", b"2"), Response(200, "OK", b"3")])
    received = serve(lambda _request: next(answers), b"GET /a HTTP/1.1\r\n\r\n" * 3)
    assert received.count(b"HTTP/1.1 ") == 2
    assert received.count(b"Connection: Keep-Alive") == 1
    assert received.endswith(b"\r\n\r\n2")


def test_unknown_http_method() -> None:
    received = serve(lambda _request: Response(200), b"BREW / HTTP/1.1\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 501 method 'BREW' not available\r\n")


def test_certificate_cache_refreshes_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    on_disk = {"pve2": "old"}
    monkeypatch.setattr("practice_pve.daemons.certificate_cache.node_fingerprint", on_disk.get)
    monkeypatch.setattr("practice_pve.daemons.certificate_cache.time.time", lambda: 1000.0)
    cache = {"time": 1000.0, "nodes": {}}
    assert check_cache(cache, "pve2", "old")
    on_disk["pve2"] = "new"
    assert not check_cache(cache, "pve2", "new")
    cache["time"] = 900.0
    assert check_cache(cache, "pve2", "new")
    assert not check_cache(cache, "pve2", "old")
