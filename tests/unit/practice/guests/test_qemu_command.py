# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a machine's configuration to QEMU's command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from practice_pve.guests.qemu_command import command_line
from practice_pve.rest.errors import NotEmulated
from practice_pve.storage.definitions import StorageList

RUN = Path("/run/x")


def options(values: dict[str, object], name: str) -> list[str]:
    """What stands behind an option, every time that it is given."""
    argv = command_line(100, values, StorageList({}, ""), RUN)
    return [argv[number + 1] for number, word in enumerate(argv) if word == name]


def test_the_process_is_found_by_its_first_word():
    assert command_line(100, {}, StorageList({}, ""), RUN)[0] == "/usr/bin/kvm -id 100"


@pytest.mark.parametrize(("agent", "port"), [("1", True), ("enabled=1,type=virtio", True), ("0", False), (None, False)])
def test_the_agent_has_a_port_only_when_it_is_enabled(agent: str | None, port: bool):
    values: dict[str, object] = {} if agent is None else {"agent": agent}
    assert ("virtserialport,chardev=qga0,name=org.qemu.guest_agent.0" in options(values, "-device")) is port
    assert any("/run/x/100.qga" in text for text in options(values, "-chardev")) is port


def test_an_isa_port_has_no_name():
    assert "isa-serial,chardev=qga0" in options({"agent": "1,type=isa"}, "-device")


def test_the_system_table_is_told_in_plain_text():
    encoded = "serial=YWdlbnRvZmY=,base64=1,uuid=90fa2a64-f4ba-4005-8f02-da097f3a81ca"
    (table,) = options({"smbios1": encoded}, "-smbios")
    assert set(table.split(",")) == {"type=1", "serial=agentoff", "uuid=90fa2a64-f4ba-4005-8f02-da097f3a81ca"}


def test_a_card_is_the_bridges_tap():
    values: dict[str, object] = {"net1": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}
    assert options(values, "-netdev") == ["tap,id=net1,ifname=tap100i1,script=no,downscript=no"]
    assert any("mac=BC:24:11:00:00:01" in device for device in options(values, "-device"))


def test_an_empty_drive_and_the_boot_order():
    values: dict[str, object] = {"ide2": "none,media=cdrom", "boot": "order=net0;ide2", "sockets": 2, "cores": 2}
    assert options(values, "-drive") == ["if=none,readonly=on,media=cdrom,id=drive-ide2"]
    assert "ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2,bootindex=101" in options(values, "-device")
    assert options(values, "-smp") == ["4"]


@pytest.mark.parametrize("values", [{"bios": "ovmf"}, {"net0": "pcnet=BC:24:11:00:00:01"}])
def test_what_is_not_emulated_says_so(values: dict[str, object]):
    with pytest.raises(NotEmulated):
        command_line(100, values, StorageList({}, ""), RUN)
