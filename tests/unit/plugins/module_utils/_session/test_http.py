# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client and both sessions against servers that misbehave on purpose."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._session import http_client
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import (
    AnswerLost,
    Busy,
    Denied,
    NotAuthenticated,
    NotFound,
    SessionError,
    Unreachable,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.http_client import HttpClient
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.local import LocalSession
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.retry import Retry
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.tls import plain_connector

CUT = b""  # close without an answer
HANG = None  # keep silent


def answer(data: Any = None, status: str = "200 OK", close: bool = False, **headers: str) -> bytes:
    body = json.dumps({"data": data}).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"Connection: {'close' if close else 'Keep-Alive'}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """Takes requests, answers them from a list; notes each request line, and how many connections were made."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.heads: list[str] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                head = line.decode()
                length = 0
                while (header := stream.readline().decode()) not in ("\r\n", ""):
                    head += header
                    if header.lower().startswith("content-length:"):
                        length = int(header.partition(":")[2])
                body = stream.read(length).decode()
                with self._lock:
                    self.requests.append(line.decode().rsplit(" ", 1)[0] + (f" {body}" if body else ""))
                    self.heads.append(head)
                    reply = self.answers.pop(0) if self.answers else answer("late")
                if reply == CUT:
                    return
                if reply is not HANG:
                    connection.sendall(reply)
                    if b"Connection: close" in reply:
                        return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone already
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(*answers: bytes | None) -> Server:
        servers.append(Server(*answers))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def client_of(server: Server, timeout: float = 5.0) -> HttpClient:
    return HttpClient(plain_connector("127.0.0.1", server.port), timeout, timeout)


def refuse_pvesh(method: str, path: str, params: dict[str, Any]) -> Any:
    raise AssertionError(f"pvesh was used for {method} {path} {params}")


def session_of(server: Server, **values: Any) -> LocalSession:
    patience = Retry(attempts=4, sleep=lambda seconds: None)
    tickets = iter(range(9))
    values = {"pvesh": refuse_pvesh, "mint": lambda: {"Cookie": f"ticket-{next(tickets)}"}, **values}
    return LocalSession(own_port=server.port, proxy_port=1, patience=patience, **values)


class TestConnections:
    def test_one_connection_serves_many_calls(self, serve: Any) -> None:
        server = serve(*[answer(number) for number in range(5)])
        client = client_of(server)
        assert [json.loads(client.exchange("GET", "/x", None, {}).body)["data"] for _turn in range(5)] == [
            0,
            1,
            2,
            3,
            4,
        ]
        assert server.connections == 1
        client.close()

    def test_every_thread_has_its_own(self, serve: Any) -> None:
        server = serve()
        client = client_of(server)
        threads = [
            threading.Thread(target=lambda: [client.exchange("GET", "/x", None, {}) for _turn in range(3)])
            for _turn in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == 4 and len(server.requests) == 12
        client.close()

    def test_a_read_is_repeated(self, serve: Any) -> None:
        server = serve(CUT, CUT, answer("there"))
        assert json.loads(client_of(server).exchange("GET", "/x", None, {}).body)["data"] == "there"

    def test_a_read_is_not_repeated_for_ever(self, serve: Any) -> None:
        server = serve(CUT, CUT, CUT, CUT)
        with pytest.raises(Unreachable):
            client_of(server).exchange("GET", "/x", None, {})
        assert len(server.requests) == 3

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    @pytest.mark.parametrize(
        "reply",
        [
            CUT,
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{",
            b"rubbish\r\nConnection: close\r\n\r\n",
        ],
    )
    def test_a_write_is_sent_once(self, serve: Any, method: str, reply: bytes) -> None:
        server = serve(reply, answer("never"))
        with pytest.raises(AnswerLost) as caught:
            client_of(server).exchange(method, "/x", b"a=1", {})
        assert len(server.requests) == 1
        assert caught.value.sent_at > 0

    def test_a_write_without_an_answer_in_time_is_lost(self, serve: Any) -> None:
        server = serve(HANG)
        with pytest.raises(AnswerLost, match="no answer in time"):
            client_of(server, timeout=0.2).exchange("POST", "/x", b"", {})

    def test_a_read_without_an_answer_in_time_is_not_repeated(self, serve: Any) -> None:
        server = serve(HANG)
        with pytest.raises(Unreachable):
            client_of(server, timeout=0.2).exchange("GET", "/x", None, {})
        assert len(server.requests) == 1

    def test_a_write_does_not_run_into_a_connection_that_was_given_up(self, serve: Any) -> None:
        # The server says Keep-Alive and closes all the same, as Proxmox VE does after 5 s of silence.
        server = serve(answer("first").replace(b"Keep-Alive", b"Keep-Alive\r\nX: Connection: close"), answer("second"))
        client = client_of(server)
        client.exchange("GET", "/x", None, {})
        wait_for_close(client)
        assert json.loads(client.exchange("POST", "/x", b"", {}).body)["data"] == "second"
        assert server.connections == 2

    def test_a_write_after_a_pause_takes_a_new_connection(self, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http_client, "IDLE_LIMIT_FOR_WRITES", 0.0)
        server = serve()
        client = client_of(server)
        client.exchange("GET", "/x", None, {})
        client.exchange("GET", "/x", None, {})
        assert server.connections == 1
        client.exchange("POST", "/x", b"", {})
        assert server.connections == 2

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(Unreachable, match="Connection refused"):
            HttpClient(plain_connector("127.0.0.1", port), 1, 1).exchange("POST", "/x", b"", {})

    def test_the_server_s_clock_is_learnt(self, serve: Any) -> None:
        client = client_of(serve(answer(Date="Fri, 01 Jan 2100 00:00:00 GMT")))
        client.exchange("GET", "/x", None, {})
        assert client.clock_offset > 10**9


def wait_for_close(client: HttpClient) -> None:
    connection = client._own.connection
    connection.sock.settimeout(5)
    assert connection.sock.recv(1, socket.MSG_PEEK) == b""


class TestLocalSession:
    def test_parameters_travel(self, serve: Any) -> None:
        server = serve(*[answer()] * 4)
        session = session_of(server)
        session.create("/nodes/localhost/qemu", vmid=100, onboot=True, name=None, description="a b&c=ä;+\n%")
        session.set("/x", **{"import-from": "local:1/x", "path": "/p"})  # pylint: disable=kwarg-superseded-by-positional-arg
        session.delete("/x", purge=True, force=False)
        session.create("/x", command=["id", "-u"], one=["single"])
        assert server.requests == [
            "POST /api2/json/nodes/localhost/qemu vmid=100&onboot=1&description=a%20b%26c%3D%C3%A4%3B%2B%0A%25",
            "PUT /api2/json/x import-from=local%3A1%2Fx&path=%2Fp",
            "DELETE /api2/json/x?purge=1&force=0",
            'POST /api2/json/x {"command": ["id", "-u"], "one": ["single"]}',
        ]

    def test_an_old_ticket_is_replaced_once(self, serve: Any) -> None:
        server = serve(answer(), answer(status="401 Authentication failed!", close=True), answer("done"))
        session = session_of(server)
        session.get("/version")
        assert session.create("/x", a=1) == "done"
        assert [head.partition("Cookie: ")[2][:8] for head in server.heads] == ["ticket-0", "ticket-0", "ticket-1"]

    def test_a_refused_ticket_leads_to_pvesh_for_good(self, serve: Any) -> None:
        server = serve(*[answer(status="401 Authentication failed!", close=True)] * 2)
        session = session_of(server, pvesh=lambda method, path, params: [method, path, params])
        assert session.create("/x", a=1) == ["POST", "/x", {"a": 1}]
        assert session.get("/y") == ["GET", "/y", {}]
        assert len(server.requests) == 2
        assert session.warnings == ["root's ticket was refused (Authentication failed!); pvesh is used instead"]

    def test_no_daemon_leads_to_pvesh(self) -> None:
        session = LocalSession(mint=dict, own_port=1, proxy_port=1, pvesh=lambda *call: "pvesh")
        assert session.create("/x") == "pvesh" and session.create("/nodes/other/qemu") == "pvesh"
        assert len(session.warnings) == 2

    def test_a_lost_answer_does_not_lead_to_pvesh(self, serve: Any) -> None:
        server = serve(CUT)
        with pytest.raises(AnswerLost) as caught:
            session_of(server).create("/nodes/localhost/qemu", vmid=100)
        assert (caught.value.method, caught.value.path) == ("POST", "/nodes/localhost/qemu")
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "reason",
        [
            "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout",
            "got no worker upid - start worker failed",
        ],
    )
    def test_what_was_refused_as_busy_is_tried_again(self, serve: Any, reason: str) -> None:
        server = serve(*[answer(status=f"500 {reason}", close=True)] * 3, answer("done"))
        assert session_of(server).create("/x") == "done"

    def test_bounded(self, serve: Any) -> None:
        server = serve(*[answer(status="500 can't lock file 'x' - got timeout", close=True)] * 9)
        with pytest.raises(Busy):
            session_of(server).create("/x")
        assert len(server.requests) == 4

    def test_a_guest_s_own_lock_is_the_caller_s_matter(self, serve: Any) -> None:
        server = serve(*[answer(status="500 VM is locked (backup)", close=True)] * 9)
        with pytest.raises(Busy):
            session_of(server).create("/x")
        assert len(server.requests) == 1

    def test_a_certificate_not_yet_known_is_waited_for(self, serve: Any) -> None:
        refusal = answer(status="596 error:0A000086:SSL routines::certificate verify failed", close=True)
        server = serve(refusal, refusal, answer("done"))
        assert session_of(server).create("/x") == "done"

    def test_upids_given_are_remembered(self, serve: Any) -> None:
        upid = "UPID:pve2:0000135F:00070F8C:6B00B05E:qmcreate:150:root@pam:"
        session = session_of(serve(answer(upid), answer("no task")))
        session.create("/x")
        session.create("/x")
        assert session.known_tasks() == {upid}

    def test_errors_know_where_they_come_from(self, serve: Any) -> None:
        reason = "500 Configuration file 'nodes/pve1/qemu-server/9.conf' does not exist"
        session = session_of(serve(answer(status=reason, close=True)))
        with pytest.raises(NotFound) as caught:
            session.get("/nodes/localhost/qemu/9/config")
        assert str(caught.value).startswith("GET /nodes/localhost/qemu/9/config: Configuration file")

    def test_a_bare_403_is_completed_for_the_version(self, serve: Any) -> None:
        server = serve(answer(status="403 Permission check failed", close=True), answer({"version": "8.4.1"}))
        with pytest.raises(Denied) as caught:
            session_of(server).create("/nodes/localhost/qemu/100/agent/exec", command="id")
        assert caught.value.privileges == ("VM.Monitor",)
        assert "VM.Monitor on /vms/100" in str(caught.value)

    def test_calls_for_other_nodes_do_not_go_to_this_node_s_port(self, serve: Any) -> None:
        server = serve()
        session = session_of(server, pvesh=lambda *call: "elsewhere")
        assert session.get("/nodes/other/qemu") == "elsewhere"
        assert session.get(f"/nodes/{session.node}/qemu") == "late"
        assert server.requests == [f"GET /api2/json/nodes/{session.node}/qemu"]

    def test_no_ticket_and_no_pvesh_is_said(self) -> None:
        def mint() -> dict[str, str]:
            raise Unreachable("no root ticket: perl is missing")

        with pytest.raises(SessionError, match="no pvesh"):
            LocalSession(mint=mint, pvesh=raise_unreachable).get("/version")

    def test_close_forgets_the_ticket(self, serve: Any) -> None:
        with session_of(serve(answer())) as session:
            session.get("/version")
            assert session._headers
        assert not session._headers


def raise_unreachable(method: str, path: str, params: dict[str, Any]) -> Any:
    raise Unreachable("there is no pvesh here", method=method, path=path)


def test_authentication_is_its_own_error() -> None:
    assert issubclass(NotAuthenticated, SessionError) and not issubclass(NotAuthenticated, Denied)
