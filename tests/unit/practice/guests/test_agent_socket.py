# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a guest's agent: what is taken for an answer, and what silence is called."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from practice_pve.guests import agent_socket
from practice_pve.rest.errors import ApiError

Talk = Callable[[socket.socket, list[dict]], None]


@contextmanager
def guest(directory: Path, monkeypatch: pytest.MonkeyPatch, talk: Talk) -> Iterator[None]:
    """An agent that reads the two lines of one client and then does what `talk` says."""
    path = directory / "100.qga"
    monkeypatch.setattr(agent_socket, "path_of", lambda _guest_id: path)

    def serve() -> None:
        client, _address = server.accept()
        with client, client.makefile("rb") as stream:
            talk(client, [json.loads(stream.readline().decode("latin-1")) for _line in range(2)])

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def line(value: object) -> bytes:
    return json.dumps({"return": value}).encode() + b"\n"


def synchronised(questions: list[dict]) -> bytes:
    return b"\xff" + line(questions[0]["arguments"]["id"])


def test_the_answer_follows_the_synchronisation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[dict] = []

    def talk(client: socket.socket, questions: list[dict]) -> None:
        asked.extend(questions)
        client.sendall(synchronised(questions) + line({"host-name": "g"}))

    with guest(tmp_path, monkeypatch, talk):
        assert agent_socket.ask(100, "guest-get-host-name", {"a": "ä"}) == {"host-name": "g"}
    assert [question["execute"] for question in asked] == ["guest-sync-delimited", "guest-get-host-name"]
    assert asked[1]["arguments"] == {"a": "ä"}


def test_what_an_impatient_client_left_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def talk(client: socket.socket, questions: list[dict]) -> None:
        client.sendall(b"\xff" + line(1) + line("stale") + synchronised(questions))
        client.sendall(line("fresh"))

    with guest(tmp_path, monkeypatch, talk):
        assert agent_socket.ask(100, "guest-get-time") == "fresh"


def test_a_refusal_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    error = {"class": "CommandNotFound", "desc": "no"}

    def talk(client: socket.socket, questions: list[dict]) -> None:
        client.sendall(synchronised(questions) + json.dumps({"error": error}).encode() + b"\n")

    with guest(tmp_path, monkeypatch, talk):
        assert agent_socket.ask(100, "guest-fstrim") == {"error": error}


def test_silence_is_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with (
        guest(tmp_path, monkeypatch, lambda client, _questions: client.recv(1) and None),
        pytest.raises(ApiError) as told,
    ):
        agent_socket.ask(100, "guest-ping", timeout=0.2)
    assert str(told.value) == "VM 100 qga command 'guest-ping' failed - got timeout"


@pytest.mark.parametrize("command", ["guest-shutdown", "guest-suspend-ram"])
def test_a_guest_that_goes_down_need_not_answer(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with guest(tmp_path, monkeypatch, lambda client, questions: client.sendall(synchronised(questions))):
        assert agent_socket.ask(100, command) is None


def test_any_other_command_must_be_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with (
        guest(tmp_path, monkeypatch, lambda client, questions: client.sendall(synchronised(questions))),
        pytest.raises(ApiError, match="failed - client closed connection"),
    ):
        agent_socket.ask(100, "guest-get-time")


def test_a_machine_started_without_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(agent_socket, "path_of", lambda _guest_id: tmp_path / "missing")
    with pytest.raises(ApiError, match="unable to open monitor socket"):
        agent_socket.ask(100, "guest-ping")
