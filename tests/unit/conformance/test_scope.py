# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recordings are about what the collection asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from fake_session import FakeSession
from replay.recordings import Recording
from replay.scope import proxmox_commands, read_scope


def request(method: str, path: str, group: str = "api/x") -> Recording:
    return Recording(group, "a", {"method": method, "path": path})


def command(script: str, group: str = "vm/x") -> Recording:
    return Recording(group, "a", {"argv": ["sh", "-c", script], "rc": 0})


@pytest.mark.parametrize(
    ("recording", "inside"),
    [
        (request("GET", "/nodes/pve1/qemu/100/config"), True),
        (request("GET", "/nodes/pve1/tasks?limit=5"), True),
        (request("DELETE", "/nodes/pve1/qemu/100/config"), False),
        (request("GET", "/nodes/pve1/qemu/100/config/more"), False),
        (request("GET", "/nodes/pve1/netstat"), False),
        (request("GET", "/nodes/pve1/netstat", group="cluster/x"), True),
        (command("pvesh get /nodes/pve1/qemu/100/config --output-format json"), True),
        (command("pvesh get /nodes/pve1/netstat"), False),
        (command("qm set 100 --memory 5; qm config 100 | grep memory"), True),
        (command("qm set 100 --memory 5 && qm showcmd 100"), False),
        (command("mkdir -p /x; printf '%s' 'qm showcmd' > /x/y; qm cloudinit dump 1 user"), True),
        (command("cat /etc/pve/storage.cfg"), True),
    ],
)
def test_inside_is_what_the_list_names(recording: Recording, inside: bool) -> None:
    assert read_scope().has(recording) is inside


def test_commands_of_a_script() -> None:
    script = "if true; then qm start 1; fi; ls | pvesh set /a -x 'b c'"
    assert proxmox_commands(["sh", "-c", script]) == [["qm", "start", "1"], ["pvesh", "set", "/a", "-x", "b c"]]
    assert proxmox_commands(["cat", "qm"]) == []


def test_the_unit_tests_session_refuses_what_the_list_lacks() -> None:
    session = FakeSession(handler=lambda *_call: "answered")
    assert session.get("/nodes/pve1/qemu/100/config") == "answered"
    with pytest.raises(AssertionError, match="/nodes/pve1/netstat"):
        session.get("/nodes/pve1/netstat")


def test_a_line_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scope.txt"
    path.write_text("FETCH /x\n")
    with pytest.raises(ValueError, match=r"scope.txt:1"):
        read_scope(path)
