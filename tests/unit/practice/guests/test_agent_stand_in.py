# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent of machines that only sleep: it answers from the configuration, or is silent as asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from practice_pve import settings
from practice_pve.guests import agent_socket, agent_stand_in
from practice_pve.rest.errors import ApiError

MACHINE = {
    "name": "web",
    "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
    "ipconfig0": "ip=10.0.0.7/24,gw=10.0.0.1,ip6=auto",
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    values: dict[str, object] = dict(MACHINE)
    port = tmp_path / "100.qga"
    port.touch()
    monkeypatch.setattr(agent_socket, "path_of", lambda _guest_id: port)
    monkeypatch.setattr(agent_stand_in, "QEMU", SimpleNamespace(load=lambda _guest_id: SimpleNamespace(values=values)))
    monkeypatch.setattr(settings, "load", lambda: {"guests_have_agent": True})
    monkeypatch.setattr(agent_stand_in.time, "sleep", lambda _seconds: None)
    return values


@pytest.mark.usefixtures("machine")
def test_it_tells_what_the_configuration_says():
    assert agent_stand_in.ask(100, "guest-ping", 3) == {}
    assert agent_stand_in.ask(100, "guest-get-host-name", None) == {"host-name": "web"}
    _loopback, card = agent_stand_in.ask(100, "guest-network-get-interfaces", None)
    assert (card["name"], card["hardware-address"]) == ("eth0", "bc:24:11:00:00:01")
    assert card["ip-addresses"] == [{"ip-address": "10.0.0.7", "ip-address-type": "ipv4", "prefix": 24}]


@pytest.mark.usefixtures("machine")
def test_it_refuses_what_it_does_not_know():
    assert agent_stand_in.ask(100, "guest-fstrim", None)["error"]["class"] == "CommandNotFound"


@pytest.mark.parametrize("word", ["agentoff", "agenthung"])
def test_single_machines_can_be_silent(word: str, machine: dict[str, object]):
    machine["smbios1"] = f"serial={word}"
    with pytest.raises(ApiError, match="VM 100 qga command 'guest-ping' failed - got timeout"):
        agent_stand_in.ask(100, "guest-ping", 3)


def test_nobody_answers_where_the_settings_do_not_say_so(machine: dict[str, object], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "load", dict)
    assert not agent_stand_in.is_listening(machine)
