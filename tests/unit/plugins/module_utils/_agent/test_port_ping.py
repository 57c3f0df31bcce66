# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.port_ping import ping_port

Answer = Callable[[int], "bytes | None"]


@pytest.fixture
def sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # the path of a socket has 107 bytes at most
        yield Path(short)


def serve(directory: Path, answer: Answer) -> None:
    """An agent for one client: C(answer) makes what it says from the mark that it was asked with."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(directory / "100.qga"))
    listener.listen(1)

    def work() -> None:
        client, _address = listener.accept()
        with listener, client:
            question = client.recv(4096)
            assert question.startswith(b"\xff")
            said = answer(json.loads(question[1:])["arguments"]["id"])
            if said is None:
                client.recv(1)  # until the client has had enough
                return
            client.sendall(said)

    threading.Thread(target=work, daemon=True).start()


def reply(mark: int) -> bytes:
    return b"\xff" + json.dumps({"return": mark}).encode() + b"\n"


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        (reply, True),
        (lambda mark: b'{"return": 17}\n' + reply(mark), True),  # first the rest of somebody else's conversation
        (lambda mark: reply(mark + 1), False),
        (lambda mark: b"no json\n", False),
        (lambda mark: b"", False),
        (lambda mark: None, False),
    ],
)
def test_what_the_other_end_may_say(sockets: Path, answer: Answer, answered: bool) -> None:
    serve(sockets, answer)
    assert ping_port(100, 0.5, str(sockets)) is answered


def test_without_a_socket_nothing_is_known(sockets: Path) -> None:
    assert ping_port(100, 0.5, str(sockets)) is None
