# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared and what Proxmox VE answers for it: every row of its normalisations, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.compare import compare, shown_changes
from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.errors import InvalidValue
from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.kinds import Names
from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.sizes import (
    format_gibibytes,
    format_size,
    parse_disk_size,
    parse_size,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.key_tables import CONTAINER, VIRTUAL_MACHINE

NOT_SET = None
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFGqk0AJC1bPH6p0bOCRJ0Yw6WKYwtJxJmZ0xPq4xkD lab"
ENCODED = "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIGFGqk0AJC1bPH6p0bOCRJ0Yw6WKYwtJxJmZ0xPq4xkD%20lab%0A"

# key, declared, read back: the same
SAME = [
    ("net0", "virtio,bridge=vmbr0", "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ("net0", {"model": "virtio", "bridge": "vmbr0"}, "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0,firewall=1"),
    ("net0", "virtio=bc:24:11:f0:6c:8b,bridge=vmbr0", "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ("net0", {"firewall": False}, "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ("net0", {"tag": None}, "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ("agent", True, "1"),
    ("agent", "1", "enabled=1"),
    ("agent", {"enabled": True, "freeze_fs": False}, "1,freeze-fs-on-backup=0"),
    ("agent", {"enabled": True, "freeze-fs": True}, "enabled=1"),
    ("agent", "enabled=1,guest-fsfreeze=0", "1,freeze-fs=0"),
    ("agent", False, NOT_SET),
    ("agent", False, "0"),
    ("boot", ["scsi0", "net0"], "order=scsi0;net0"),
    ("boot", "order=scsi0;net0", "order=scsi0;net0"),
    ("boot", "cdn", "legacy=cdn"),
    ("onboot", False, NOT_SET),
    ("onboot", "yes", 1),
    ("numa", "off", NOT_SET),
    ("sockets", 1, NOT_SET),
    ("acpi", True, NOT_SET),
    ("cores", 1, NOT_SET),
    ("cores", "4", 4),
    ("cpu", "host", "cputype=host"),
    ("cpu", {"cputype": "host"}, "host,flags=+aes"),
    ("vga", "serial0", "type=serial0"),
    ("watchdog", "i6300esb,action=reset", "action=reset,model=i6300esb"),
    ("memory", 2048, "2048"),
    ("memory", "2048", "current=2048"),
    ("memory", 512, NOT_SET),
    ("machine", "q35", "pc-q35-9.2+pve1"),
    ("machine", "q35", "type=pc-q35-10.0,viommu=intel"),
    ("machine", "pc", NOT_SET),
    ("ipconfig0", {"gw": "192.0.2.1", "ip": "192.0.2.5/24"}, "ip=192.0.2.5/24,gw=192.0.2.1"),
    ("ipconfig0", "ip6=2001:DB8::5/64", "ip6=2001:db8::5/64"),
    ("sshkeys", KEY, ENCODED),
    ("sshkeys", [KEY, ""], ENCODED.replace("%0A", "")),
    ("sshkeys", ["ssh-rsa B b", KEY], ENCODED + "ssh-rsa%20B%20b"),
    ("nameserver", ["192.0.2.1", "192.0.2.2"], "192.0.2.1 192.0.2.2"),
    ("nameserver", "192.0.2.1,192.0.2.2", "192.0.2.1 192.0.2.2"),
    ("searchdomain", "a.example b.example", "a.example,b.example"),
    ("tags", ["z", "A", "a"], "a;z"),
    ("tags", "z,A;a", "a;z"),
    ("tags", [], NOT_SET),
    ("description", "hello\nworld", "hello\nworld\n"),
    ("description", "", NOT_SET),
    ("cpuunits", 20000, 10000),
    ("cpulimit", 2, "2.0"),
    ("startup", "order=1,up=30", "1,up=30"),
    ("ciupgrade", True, NOT_SET),
    ("smbios1", {"uuid": "x"}, "uuid=x,manufacturer=YQ=="),
    ("bios", "seabios", NOT_SET),
    ("hostpci0", "host=01:00.0", "01:00.0,pcie=0"),
]
# key, declared, read back, what is written
DIFFERENT = [
    (
        "net0",
        {"bridge": "vmbr1"},
        "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0,tag=5",
        "virtio=BC:24:11:F0:6C:8B,bridge=vmbr1,tag=5",
    ),
    ("net0", {"tag": None}, "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0,tag=5", "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ("net0", "e1000,bridge=vmbr0", "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0", "e1000=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ("net1", {"model": "virtio", "bridge": "vmbr0"}, NOT_SET, "virtio,bridge=vmbr0"),
    ("agent", True, "0", "1"),
    ("agent", {"fstrim_cloned_disks": True}, "1", "1,fstrim_cloned_disks=1"),
    ("boot", ["net0", "scsi0"], "order=scsi0;net0", "order=net0;scsi0"),
    ("onboot", True, NOT_SET, "1"),
    ("memory", 1024, "512", "1024"),
    ("cpu", "host", "kvm64,flags=+aes", "host,flags=+aes"),
    ("machine", "q35", NOT_SET, "q35"),
    ("ipconfig0", {"ip": "dhcp"}, "ip=192.0.2.5/24", "ip=dhcp"),
    ("tags", ["b"], "a;b", "b"),
    ("nameserver", ["192.0.2.2", "192.0.2.1"], "192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.1"),
    ("sshkeys", KEY, NOT_SET, ENCODED.replace("/", "%2F")),
    ("description", "b", "a\n", "b"),
]
WRONG = [
    ("net0", "foo,bridge=vmbr0", "net0.model: 'foo' is none of"),
    ("net0", {"bridge": "vmbr0", "vlan": 5}, "net0.vlan: there is no such property"),
    ("net0", {"tag": 5000}, "net0.tag: 5000 is more than 4094"),
    ("net0", {"macaddr": "01:00:00:00:00:00"}, "net0.macaddr: '01:00:00:00:00:00' is not a unicast"),
    ("cores", 0, "cores: 0 is less than 1"),
    ("cores", "many", "cores: 'many' is not a whole number"),
    ("cores", True, "cores: 'True' is not a whole number"),
    ("memory", 8, "memory.current: 8 is less than 16"),
    ("onboot", "maybe", "onboot: 'maybe' is neither true nor false"),
    ("name", "bad_name", "name: 'bad_name' is not a name for DNS"),
    ("name", ["a"], "name: a single value is needed"),
    ("ipconfig0", "ip=foo", "ipconfig0.ip: 'foo' is not dhcp or an IPv4 address"),
    ("ipconfig0", {"ip": "192.0.2.5"}, "ipconfig0.ip: '192.0.2.5' is not dhcp"),
    ("agent", "foo", "agent.enabled: 'foo' is neither"),
    ("agent", {"on": 1}, "agent.on: there is no such property"),
    ("tags", ["-x"], "tags: '-x' is not a tag"),
    ("boot", "order=floppy0", "boot: 'floppy0' is not a device"),
    ("ostype", "linux", "ostype: 'linux' is none of"),
    ("serial0", "tty", "serial0: 'tty' is not socket or a device"),
    ("sshkeys", "nokey", "sshkeys: 'nokey' is not a public key"),
    ("vga", "type=std,memory=1", "vga.memory: 1 is less than 4"),
    ("cpulimit", 200, "cpulimit: 200.0 is more than 128"),
]


def parsed(key: str, value: Any) -> Any:
    return VIRTUAL_MACHINE.parse(key, value)


@pytest.mark.parametrize(("key", "declared", "answer"), SAME)
def test_the_same_is_no_change(key: str, declared: Any, answer: Any) -> None:
    current = {} if answer is NOT_SET else {key: answer}
    assert compare(VIRTUAL_MACHINE, {key: parsed(key, declared)}, VIRTUAL_MACHINE.parse_current(current)) == []


@pytest.mark.parametrize(("key", "declared", "answer", "written"), DIFFERENT)
def test_a_difference_is_written_with_everything_else_kept(key: str, declared: Any, answer: Any, written: str) -> None:
    current = {} if answer is NOT_SET else {key: answer}
    (change,) = compare(VIRTUAL_MACHINE, {key: parsed(key, declared)}, VIRTUAL_MACHINE.parse_current(current))
    assert change.after == written


@pytest.mark.parametrize(("key", "declared", "answer", "written"), DIFFERENT)
def test_what_was_written_is_no_change_any_more(key: str, declared: Any, answer: Any, written: str) -> None:
    del answer
    current = VIRTUAL_MACHINE.parse_current({key: written})
    assert compare(VIRTUAL_MACHINE, {key: parsed(key, declared)}, current) == []


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, *values in [*SAME, *DIFFERENT] for value in values if value is not NOT_SET]
)
def test_a_written_value_is_read_as_what_it_was(key: str, value: Any) -> None:
    row = VIRTUAL_MACHINE.find(key)
    assert row is not None
    once = row.kind.parse(value)
    written = row.kind.format(once)
    kept = {name: part for name, part in once.items() if part is not None} if isinstance(once, dict) else once
    if written or not isinstance(kept, (dict, str)):
        assert row.kind.parse(written) == kept
    assert row.kind.format(row.kind.parse(written)) == written


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_mistake_names_its_key(key: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parsed(key, value)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("memroy", "memroy: there is no such key; did you mean memory"),
        ("net32", "net32: there are only net0 to net31"),
        ("ide4", "ide4: there are only ide0 to ide3"),
        ("digest", "digest: there is no such key"),
    ],
)
def test_an_unknown_key_is_named_with_what_is_near(name: str, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        VIRTUAL_MACHINE.canonical(name)
    assert str(caught.value).startswith(message)


def test_absent_keys_and_properties_are_removed() -> None:
    current = VIRTUAL_MACHINE.parse_current({"net0": "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0,tag=5", "description": "x"})
    changes = compare(VIRTUAL_MACHINE, {}, current, ["net0.tag", "description", "vga"])
    assert [(change.key, change.after) for change in changes] == [
        ("description", None),
        ("net0", "virtio=BC:24:11:F0:6C:8B,bridge=vmbr0"),
    ]


def test_a_secret_shows_its_change_and_not_its_value() -> None:
    (change,) = compare(VIRTUAL_MACHINE, {"cipassword": "new"}, {"cipassword": "old"})
    assert (change.shown_before, change.shown_after) == ("********", "******** (new)")


def test_containers_have_their_own_table() -> None:
    current = CONTAINER.parse_current(
        {"net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,type=veth", "memory": 512}
    )
    assert compare(CONTAINER, {"net0": CONTAINER.parse("net0", {"bridge": "vmbr0"}), "memory": 512}, current) == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("20G", 20 * 1024**3), ("20480M", 20 * 1024**3), ("104858K", 104858 * 1024), ("512", 512), ("1T", 1024**4)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert parse_size(format_size(size)) == size


def test_a_disk_without_a_unit_is_in_gib() -> None:
    assert parse_disk_size(20) == parse_disk_size("20G") == 20 * 1024**3
    assert format_gibibytes(parse_disk_size("0.5G")) == "0.5"


def test_a_set_of_names_has_no_order() -> None:
    kind = Names(choices=("images", "iso", "rootdir"))
    assert kind.parse("rootdir,images") == kind.parse(["images", "rootdir", "images"])
    assert kind.format(kind.parse("rootdir images")) == "images,rootdir"
    with pytest.raises(InvalidValue, match="'files' is none of images, iso, rootdir"):
        kind.parse("images,files")


def test_a_diff_shows_what_changes_and_masks_secrets() -> None:
    changes = compare(VIRTUAL_MACHINE, {"cipassword": "new", "cores": 2}, {"cipassword": "old"}, [])
    assert shown_changes(changes) == ({"cipassword": "********"}, {"cipassword": "******** (new)", "cores": "2"})
