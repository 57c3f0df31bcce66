# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property strings of guests: network cards, drives, the agent, and so on.

This file is private to the collection and may change without notice.

A property that is not in its table is text that Proxmox VE judges; what stands here are the ones whose texts can differ
and mean the same, whose absence means a value, or whose mistakes are worth a word before anything is sent.
"""

from __future__ import annotations

from .._desired.kinds import Boolean, Integer, Kind, Machine, Number, Size, Text
from .._desired.property_string import PropertyString

NETWORK_MODELS = (
    "e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b", "i82559er",
    "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
)  # fmt: skip
_MAC = Text(pattern=r"(?i)[0-9a-f][02468ace](:[0-9a-f]{2}){5}", meaning="a unicast MAC address", case_blind=True)
_ON = Boolean(default=True)
_OFF = Boolean(default=False)
_IPV4 = Text(pattern=r"\d{1,3}(\.\d{1,3}){3}", meaning="an IPv4 address")
_IPV4_NETWORK = Text(
    pattern=r"dhcp|manual|\d{1,3}(\.\d{1,3}){3}/\d{1,2}",
    meaning="dhcp or an IPv4 address with its prefix, like 192.0.2.5/24",
)
_IPV6 = Text(pattern=r"(?i)[0-9a-f:.]*:[0-9a-f:.]*", meaning="an IPv6 address", case_blind=True)
_IPV6_NETWORK = Text(
    pattern=r"(?i)auto|dhcp|manual|[0-9a-f:.]*:[0-9a-f:.]*/\d{1,3}",
    meaning="auto, dhcp or an IPv6 address with its prefix, like 2001:db8::5/64",
    case_blind=True,
)

_NETWORK_COMMON: dict[str, Kind] = {
    "bridge": Text(),
    "tag": Integer(minimum=1, maximum=4094),
    "trunks": Text(),
    "rate": Number(minimum=0),
    "firewall": _OFF,
    "link_down": _OFF,
}

NETWORK_CARD = PropertyString(
    properties={
        **_NETWORK_COMMON,
        "model": Text(choices=NETWORK_MODELS),
        "macaddr": _MAC,
        "queues": Integer(minimum=0, maximum=64),
        "mtu": Integer(minimum=1, maximum=65520),
        "host-tunnel": _OFF,
    },
    default_key="model",
    key_aliases=dict.fromkeys(NETWORK_MODELS, ("model", "macaddr")),
    closed=True,
)

CONTAINER_NETWORK = PropertyString(
    properties={
        **_NETWORK_COMMON,
        "name": Text(),
        "type": Text(default="veth"),
        "hwaddr": _MAC,
        "mtu": Integer(minimum=64, maximum=65535),
        "ip": _IPV4_NETWORK,
        "gw": _IPV4,
        "ip6": _IPV6_NETWORK,
        "gw6": _IPV6,
        "host-managed": _OFF,
    },
    aliases={"macaddr": "hwaddr"},
    first=("name",),
    closed=True,
)

IP_CONFIGURATION = PropertyString(
    properties={"ip": _IPV4_NETWORK, "gw": _IPV4, "ip6": _IPV6_NETWORK, "gw6": _IPV6}, closed=True
)

_LIMITS: dict[str, Kind] = {
    **{f"mbps{way}{peak}": Number(minimum=0) for way in ("", "_rd", "_wr") for peak in ("", "_max")},
    **{f"iops{way}{peak}": Integer(minimum=0) for way in ("", "_rd", "_wr") for peak in ("", "_max")},
    **{f"bps{way}": Integer(minimum=0) for way in ("", "_rd", "_wr")},
    **{f"{unit}{way}_max_length": Integer(minimum=1) for unit in ("bps", "iops") for way in ("", "_rd", "_wr")},
}

DRIVE = PropertyString(
    properties={
        **_LIMITS,
        "file": Text(),
        "media": Text(default="disk", choices=("disk", "cdrom")),
        "size": Size(),
        "format": Text(choices=("raw", "qcow", "qed", "qcow2", "vmdk", "cloop")),
        "import-from": Text(),
        "cache": Text(choices=("none", "writethrough", "writeback", "unsafe", "directsync")),
        "aio": Text(choices=("native", "threads", "io_uring")),
        "discard": Text(default="ignore", choices=("ignore", "on")),
        "rerror": Text(choices=("ignore", "report", "stop")),
        "werror": Text(choices=("enospc", "ignore", "report", "stop")),
        "queues": Integer(minimum=2),
        **dict.fromkeys(("backup", "replicate"), _ON),
        **dict.fromkeys(
            ("ssd", "iothread", "ro", "snapshot", "shared", "detect_zeroes", "scsiblock", "pre-enrolled-keys"), _OFF
        ),
        "efitype": Text(default="2m", choices=("2m", "4m")),
        "version": Text(default="v1.2", choices=("v1.2", "v2.0")),
    },
    default_key="file",
    aliases={
        "volume": "file",
        **{f"{unit}{way}_length": f"{unit}{way}_max_length" for unit in ("bps", "iops") for way in ("_rd", "_wr")},
    },
)

MOUNT_POINT = PropertyString(
    properties={
        # As with a drive: what Proxmox VE calls volume in its documentation and never writes.
        "file": Text(),
        "mp": Text(pattern=r"/.*", meaning="an absolute path"),
        "size": Size(),
        "mountoptions": Text(),
        "idmap": Text(),
        "backup": _OFF,
        "replicate": _ON,
        **dict.fromkeys(("acl", "ro", "quota", "shared", "keepattrs"), _OFF),
    },
    default_key="file",
    aliases={"volume": "file"},
)

AGENT = PropertyString(
    properties={
        "enabled": _OFF,
        "fstrim_cloned_disks": _OFF,
        "freeze-fs": _ON,
        "type": Text(default="virtio", choices=("virtio", "isa")),
    },
    default_key="enabled",
    aliases={"freeze-fs-on-backup": "freeze-fs", "guest-fsfreeze": "freeze-fs"},
    closed=True,
)

MEMORY = PropertyString(properties={"current": Integer(default=512, minimum=16)}, default_key="current", closed=True)

CPU = PropertyString(
    properties={
        "cputype": Text(default="kvm64"),
        "hidden": _OFF,
        "flags": Text(),
        "level": Integer(minimum=0),
        "guest-phys-bits": Integer(minimum=32, maximum=64),
    },
    default_key="cputype",
)

MACHINE = PropertyString(
    properties={
        "type": Machine(default="pc"),
        "enable-s3": _OFF,
        "enable-s4": _OFF,
        "aw-bits": Number(minimum=32, maximum=64),
    },
    default_key="type",
)

DISPLAY = PropertyString(
    properties={
        "type": Text(default="std"),
        "memory": Integer(minimum=4, maximum=512),
        "clipboard": Text(choices=("vnc",)),
    },
    default_key="type",
    closed=True,
)

WATCHDOG = PropertyString(properties={"model": Text(default="i6300esb")}, default_key="model")
STARTUP = PropertyString(
    properties={name: Integer(minimum=0) for name in ("order", "up", "down")}, default_key="order", closed=True
)
RANDOM_SOURCE = PropertyString(
    properties={"source": Text(), "max_bytes": Integer(default=1024), "period": Integer(default=1000)},
    default_key="source",
)
USB_DEVICE = PropertyString(properties={"host": Text(case_blind=True), "usb3": _OFF}, default_key="host")
PCI_DEVICE = PropertyString(
    properties={"host": Text(), "rombar": _ON, **dict.fromkeys(("pcie", "x-vga", "legacy-igd"), _OFF)},
    default_key="host",
)
VIRTIOFS = PropertyString(
    properties={
        "dirid": Text(),
        "cache": Text(default="auto"),
        **dict.fromkeys(("direct-io", "expose-xattr", "expose-acl"), _OFF),
    },
    default_key="dirid",
)
FEATURES = PropertyString(
    properties={**dict.fromkeys(("nesting", "keyctl", "fuse", "mknod", "force_rw_sys"), _OFF), "mount": Text()},
    closed=True,
)
DEVICE = PropertyString(
    properties={"path": Text(), "uid": Integer(minimum=0), "gid": Integer(minimum=0), "deny-write": _OFF},
    default_key="path",
)
CUSTOM_CLOUD_INIT = PropertyString(
    properties={name: Text() for name in ("meta", "network", "user", "vendor")}, closed=True
)
NAMED = PropertyString()
WITH_TYPE = PropertyString(default_key="type")
