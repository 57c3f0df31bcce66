# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection plugin against a guest whose programs and files are those of this machine."""

from __future__ import annotations

import os

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader

from fake_agent_guest import FakeAgentGuest


@pytest.fixture
def guest():
    return FakeAgentGuest()


@pytest.fixture
def connect(monkeypatch, guest):
    def make(**options):
        connection = connection_loader.get("baremetal.proxmox.proxmox_guest", PlayContext(), "/dev/null")
        connection.set_options(direct={"transport": "local", "vmid": 100, **options})
        monkeypatch.setitem(type(connection)._connect.__globals__, "open_session", lambda params: guest.session)
        return connection

    return make


def test_commands(connect):
    connection = connect()
    assert connection.exec_command("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert connection.exec_command("cat", in_data=b"\x00\xff\n") == (0, b"\x00\xff\n", b"")
    assert connection.exec_command("kill -9 $$")[0] == 137
    assert connection.exec_command("unset HOME; sh -c 'echo $HOME'")[1] == b"\n"
    assert connection.exec_command("echo ${HOME:-none}")[1] != b"none\n"
    connection.close()


def test_much_input_goes_by_a_file_that_is_removed(connect):
    before = {name for name in os.listdir("/tmp") if name.startswith(".ansible-input")}
    data = os.urandom(150_000)
    assert connect().exec_command("cat", in_data=data) == (0, data, b"")
    assert {name for name in os.listdir("/tmp") if name.startswith(".ansible-input")} == before


@pytest.mark.parametrize("size", [0, 10, 45 * 1024 + 1, 200_000])
def test_files_there_and_back(connect, tmp_path, size):
    (tmp_path / "in").write_bytes(os.urandom(size))
    connection = connect()
    connection.put_file(str(tmp_path / "in"), str(tmp_path / "there"))
    connection.fetch_file(str(tmp_path / "there"), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "in").read_bytes()


def test_files_that_are_missing(connect, tmp_path):
    connection = connect()
    with pytest.raises(AnsibleFileNotFound):
        connection.fetch_file(str(tmp_path / "none"), str(tmp_path / "back"))
    with pytest.raises(AnsibleFileNotFound):
        connection.put_file(str(tmp_path / "none"), str(tmp_path / "there"))


def test_a_silent_agent_is_no_connection_and_the_reason_is_told(connect, guest):
    guest.listening = False
    with pytest.raises(AnsibleConnectionFailure, match="not_listening"):
        connect().exec_command("true")
    guest.listening, guest.frozen = True, True
    with pytest.raises(AnsibleConnectionFailure, match="frozen"):
        connect().exec_command("true")


def test_time_limit_and_cut_off_output(connect, guest):
    with pytest.raises(AnsibleConnectionFailure, match="did not end within 0 s"):
        connect(exec_timeout=0).exec_command("sleep 20")
    for process in guest.processes.values():
        process.kill()
    guest.refusals = {"exec": {"pid": 7}, "exec-status": {"exited": 1, "exitcode": 0, "out-truncated": 1}}
    with pytest.raises(AnsibleError, match="16 MiB"):
        connect().exec_command("yes")


def test_without_a_node_the_way_is_asked_for(connect):
    with pytest.raises(AnsibleError, match="proxmox_nodes"):
        connect(transport="ssh", nodes=[]).exec_command("true")
