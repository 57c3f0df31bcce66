# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of virtual machines and of containers, as tables.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from .._desired.kinds import (
    Boolean,
    BootOrder,
    Clamped,
    Description,
    Integer,
    Kind,
    Number,
    PublicKeys,
    Tags,
    Text,
    Words,
)
from .._desired.schema import CREATION, LIVE, RESTART, Key, Schema
from . import property_tables as parts

OS_TYPES = ("other", "wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11", "l24", "l26", "solaris")
_DNS_NAME = Text(
    pattern=r"(?i)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    meaning="a name for DNS (letters, digits, hyphens and dots)",
)
DRIVE_COUNTS = {"ide": 4, "sata": 6, "scsi": 31, "virtio": 16}


def _off(name: str, effect: str = RESTART, **more: bool) -> Key:
    return Key(name, Boolean(default=False), effect=effect, **more)


def _on(name: str, effect: str = RESTART, **more: bool) -> Key:
    return Key(name, Boolean(default=True), effect=effect, **more)


def _live(name: str, kind: Kind, count: int = 0, **more: bool) -> Key:
    return Key(name, kind, count, effect=LIVE, **more)


_COMMON = (
    _live("description", Description(default="")),
    _off("onboot", LIVE),
    _off("protection", LIVE),
    _live("startup", parts.STARTUP),
    _live("tags", Tags(default=())),
    _live("hookscript", Text(), root_only=True),
)

VIRTUAL_MACHINE = Schema.of(
    [
        *_COMMON,
        _live("name", _DNS_NAME, first_boot=True),
        # Processor and memory
        Key("cores", Integer(default=1, minimum=1)),
        Key("sockets", Integer(default=1, minimum=1)),
        Key("vcpus", Integer(default=0, minimum=1)),
        Key("cpu", parts.CPU),
        _live("cpulimit", Number(default=0.0, minimum=0, maximum=128)),
        _live("cpuunits", Clamped(minimum=1, maximum=262144)),
        Key("affinity", Text(), root_only=True),
        Key("memory", parts.MEMORY),
        Key("balloon", Integer(minimum=0)),
        _live("shares", Integer(default=1000, minimum=0, maximum=50000)),
        _on("allow-ksm"),
        _off("numa"),
        Key("hugepages", Text(choices=("any", "2", "1024"))),
        _off("keephugepages"),
        Key("amd-sev", parts.WITH_TYPE),
        Key("intel-tdx", parts.WITH_TYPE),
        # The machine
        Key("machine", parts.MACHINE),
        Key("bios", Text(default="seabios", choices=("seabios", "ovmf"))),
        Key("ostype", Text(default="other", choices=OS_TYPES)),
        Key("arch", Text(choices=("x86_64", "aarch64"))),
        Key(
            "scsihw",
            Text(
                default="lsi",
                choices=("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"),
            ),
        ),
        Key("boot", BootOrder()),
        Key("agent", parts.AGENT),
        Key("vga", parts.DISPLAY),
        Key("keyboard", Text()),
        Key("hotplug", Text()),
        Key("smbios1", parts.NAMED),
        Key("vmgenid", Text(case_blind=True)),
        Key("args", Text(), root_only=True),
        Key("watchdog", parts.WATCHDOG),
        Key("startdate", Text(default="now")),
        Key("audio0", parts.NAMED),
        Key("rng0", parts.RANDOM_SOURCE),
        Key("ivshmem", parts.NAMED, root_only=True),
        Key("spice_enhancements", parts.NAMED),
        _live("vmstatestorage", Text()),
        _live("migrate_downtime", Number(default=0.1, minimum=0)),
        _live("migrate_speed", Integer(default=0, minimum=0)),
        _off("autostart", LIVE),
        *(_on(name) for name in ("acpi", "kvm", "reboot", "tablet")),
        *(_off(name) for name in ("freeze", "localtime", "tdf")),
        # Families
        _live("net", parts.NETWORK_CARD, 32),
        Key("numa", parts.NAMED, 8),
        Key("hostpci", parts.PCI_DEVICE, 16),
        Key("usb", parts.USB_DEVICE, 14),
        Key("virtiofs", parts.VIRTIOFS, 10),
        Key("serial", Text(pattern=r"/dev/[^,]+|socket", meaning="socket or a device"), 4),
        Key("parallel", Text(pattern=r"/dev/parport\d+|/dev/usb/lp\d+", meaning="a parallel port's device"), 3),
        # Drives
        Key("ide", parts.DRIVE, DRIVE_COUNTS["ide"]),
        Key("sata", parts.DRIVE, DRIVE_COUNTS["sata"]),
        _live("scsi", parts.DRIVE, DRIVE_COUNTS["scsi"]),
        _live("virtio", parts.DRIVE, DRIVE_COUNTS["virtio"]),
        Key("efidisk0", parts.DRIVE),
        Key("tpmstate0", parts.DRIVE),
        # Cloud-init
        _live("ipconfig", parts.IP_CONFIGURATION, 32, first_boot=True),
        _live("ciuser", Text(), first_boot=True),
        _live("cipassword", Text(), secret=True, first_boot=True),
        _live("citype", Text(choices=("configdrive2", "nocloud", "opennebula")), first_boot=True),
        _live("ciupgrade", Boolean(default=True), first_boot=True),
        _live("cicustom", parts.CUSTOM_CLOUD_INIT, first_boot=True),
        _live("nameserver", Words(), first_boot=True),
        _live("searchdomain", Words(), first_boot=True),
        _live("sshkeys", PublicKeys(), first_boot=True),
    ],
    spellings={
        "nameservers": "nameserver",
        "searchdomains": "searchdomain",
        "numa_enabled": "numa",
        "comment": "description",
    },
)

CONTAINER = Schema.of(
    [
        *_COMMON,
        _live("hostname", _DNS_NAME),
        _live("cores", Integer(minimum=1, maximum=8192)),
        _live("cpulimit", Number(default=0.0, minimum=0, maximum=8192)),
        _live("cpuunits", Clamped(minimum=0, maximum=500000)),
        _live("memory", Integer(default=512, minimum=16)),
        _live("swap", Integer(default=512, minimum=0)),
        Key("arch", Text(default="amd64")),
        Key("ostype", Text()),
        Key("unprivileged", Boolean(default=False), effect=CREATION),
        _on("console"),
        Key("tty", Integer(default=2, minimum=0, maximum=6)),
        Key("cmode", Text(default="tty", choices=("shell", "console", "tty"))),
        Key("nameserver", Words()),
        Key("searchdomain", Words()),
        Key("timezone", Text()),
        Key("features", parts.FEATURES),
        _off("debug"),
        Key("entrypoint", Text()),
        Key("env", Text()),
        _live("net", parts.CONTAINER_NETWORK, 32),
        Key("dev", parts.DEVICE, 256, root_only=True),
        Key("rootfs", parts.MOUNT_POINT),
        Key("mp", parts.MOUNT_POINT, 256),
    ],
    spellings={
        "nameservers": "nameserver",
        "searchdomains": "searchdomain",
        "name": "hostname",
        "comment": "description",
    },
)
