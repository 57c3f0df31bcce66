# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a real QEMU process, from a machine's configuration: PVE's devices, without KVM and without a screen."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from pathlib import Path

from practice_pve.guests.drives import Drive, boot_order, drives_of
from practice_pve.guests.tables.machine_parts import AGENT, NETWORK, SMBIOS
from practice_pve.guests.values import memory_of
from practice_pve.rest.errors import NotEmulated
from practice_pve.rest.verification import parse_property_string, perl_text
from practice_pve.storage import volumes
from practice_pve.storage.definitions import StorageList

PROGRAM = Path("/usr/bin/kvm")
_CARDS = {"virtio": "virtio-net-pci", "e1000": "e1000", "e1000e": "e1000e", "rtl8139": "rtl8139", "vmxnet3": "vmxnet3"}
_SCSI_CONTROLLERS = {"virtio-scsi-pci": "virtio-scsi-pci", "virtio-scsi-single": "virtio-scsi-pci", "lsi": "lsi"}


def command_line(guest_id: int, values: Mapping[str, object], storages: StorageList, directory: Path) -> list[str]:
    """Program and arguments; sockets and the process id go to the directory."""
    if values.get("bios") == "ovmf":
        raise NotEmulated("a real guest with bios=ovmf")
    cores = int(str(values.get("sockets", 1))) * int(str(values.get("cores", 1)))
    # "-id" is Proxmox's own invention: here it is part of the program's name, where PVE looks for it in the process list
    argv = [f"{PROGRAM} -id {guest_id}", "-name", f"{values.get('name', f'vm{guest_id}')},debug-threads=on"]
    argv += [
        "-chardev",
        f"socket,id=qmp,path={directory}/{guest_id}.qmp,server=on,wait=off",
        "-mon",
        "chardev=qmp,mode=control",
    ]
    argv += ["-pidfile", f"{directory}/{guest_id}.pid", "-daemonize"]
    argv += ["-smbios", _system_table(str(values.get("smbios1", "")))]
    argv += [
        "-smp",
        str(cores),
        "-nodefaults",
        "-boot",
        "strict=on",
        "-display",
        "none",
        "-m",
        str(memory_of(dict(values))),
    ]
    # One hundredth of a real machine's speed: every megabyte of translated code that is kept is worth it.
    argv += ["-accel", "tcg,tb-size=96", "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt"]
    argv += ["-machine", "hpet=off,type=" + ("q35" if str(values.get("machine", "pc")).startswith("q35") else "pc")]
    argv += _serial_ports(guest_id, values, directory) + _agent_port(guest_id, values, directory)
    argv += _drives(values, storages) + _cards(guest_id, values)
    return argv + shlex.split(str(values.get("args", "")))


def has_agent_port(values: Mapping[str, object]) -> bool:
    """Whether a machine started with this configuration gets the agent's port."""
    return bool(parse_property_string(AGENT, str(values.get("agent", "0"))).get("enabled"))


def _system_table(text: str) -> str:
    table = parse_property_string(SMBIOS, text) if text else {}
    encoded = table.pop("base64", False)
    for key, value in table.items():
        if encoded and key != "uuid":
            table[key] = base64.b64decode(str(value)).decode()
    # a comma within a value is doubled
    return ",".join(["type=1", *(f"{key}={str(value).replace(',', ',,')}" for key, value in table.items())])


def _serial_ports(guest_id: int, values: Mapping[str, object], directory: Path) -> list[str]:
    argv: list[str] = []
    for number in range(4):
        if values.get(f"serial{number}") == "socket":
            path = directory / f"{guest_id}.serial{number}"
            argv += ["-chardev", f"socket,id=serial{number},path={path},server=on,wait=off"]
            argv += ["-device", f"isa-serial,chardev=serial{number}"]
    return argv


def _agent_port(guest_id: int, values: Mapping[str, object], directory: Path) -> list[str]:
    if not has_agent_port(values):
        return []
    argv = ["-chardev", f"socket,path={directory}/{guest_id}.qga,server=on,wait=off,id=qga0"]
    if parse_property_string(AGENT, str(values["agent"])).get("type") == "isa":
        return [*argv, "-device", "isa-serial,chardev=qga0"]
    argv += ["-device", "virtio-serial,id=qga0"]
    return [*argv, "-device", "virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"]


def _drives(values: Mapping[str, object], storages: StorageList) -> list[str]:
    argv: list[str] = []
    order = boot_order(dict(values))
    buses = set()
    for drive in drives_of(dict(values)):
        bus = drive.name.rstrip("0123456789")
        if bus not in ("ide", "scsi", "virtio", "sata"):
            continue
        if bus not in buses:
            buses.add(bus)
            argv += _controller(bus, values)
        argv += _drive(drive, bus, storages, order)
    return argv


def _controller(bus: str, values: Mapping[str, object]) -> list[str]:
    if bus == "scsi":
        wanted = str(values.get("scsihw", "lsi"))
        if wanted not in _SCSI_CONTROLLERS:
            raise NotEmulated(f"a real guest with scsihw={wanted}")
        return ["-device", f"{_SCSI_CONTROLLERS[wanted]},id=scsihw0"]
    return ["-device", "ahci,id=ahci0"] if bus == "sata" else []


def _drive(drive: Drive, bus: str, storages: StorageList, order: list[str]) -> list[str]:
    number = int(drive.name.removeprefix(bus))
    source = "if=none"
    if drive.file not in ("none", "cdrom"):
        info = volumes.assert_exists(storages, drive.file)
        source += f",file={volumes.path_of(storages, drive.file)},format={info.format}"
    # Nobody needs these disks after a crash of the host: nothing waits for the host's own disk.
    source += ",readonly=on,media=cdrom" if drive.is_cdrom else ",discard=unmap,cache=unsafe"
    kind = "cd" if drive.is_cdrom else "hd"
    device = {
        "ide": f"ide-{kind},bus=ide.{number // 2},unit={number % 2}",
        "scsi": f"scsi-{kind},bus=scsihw0.0,scsi-id={number}",
        "sata": f"ide-{kind},bus=ahci0.{number}",
        "virtio": "virtio-blk-pci",
    }[bus]
    device += f",drive=drive-{drive.name},id={drive.name}"
    if drive.name in order:
        device += f",bootindex={100 + order.index(drive.name)}"
    return ["-drive", f"{source},id=drive-{drive.name}", "-device", device]


def cards_of(values: Mapping[str, object]) -> dict[int, dict[str, object]]:
    """The network cards by their number."""
    found = {}
    for number in range(32):
        if f"net{number}" in values:
            found[number] = parse_property_string(NETWORK, perl_text(values[f"net{number}"]))
    return found


def tap_name(guest_id: int, number: int) -> str:
    """The card's end in the node."""
    return f"tap{guest_id}i{number}"


def _cards(guest_id: int, values: Mapping[str, object]) -> list[str]:
    argv: list[str] = []
    for number, card in cards_of(values).items():
        model = str(card["model"])
        if model not in _CARDS:
            raise NotEmulated(f"a real guest with a network card {model}")
        tap = f"tap,id=net{number},ifname={tap_name(guest_id, number)},script=no,downscript=no"
        # without a boot ROM: nothing here answers a network boot
        device = f"{_CARDS[model]},mac={card['macaddr']},netdev=net{number},id=net{number},romfile="
        argv += ["-netdev", tap, "-device", device]
    return argv
