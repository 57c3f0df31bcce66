# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property strings of a virtual machine that are not drives: network cards, CPU, agent, boot order ..."""

from __future__ import annotations

from practice_pve.guests.tables.words import Options, alias, choice, flag, integer, number, text

NETWORK_MODELS = (
    "e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b", "i82559er",
    "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
)  # fmt: skip

_BASE64 = text(pattern=r"[A-Za-z0-9+\/]+={0,2}")
_NUMBER_RANGES = r"\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*"
_USB_HOST = r"(?:(?:(?:(0x)?([0-9A-Fa-f]{4}):(0x)?([0-9A-Fa-f]{4})))|(?:((\d+)\-(\d+(\.\d+)*)))|[Ss][Pp][Ii][Cc][Ee])"
_PCI_ADDRESS = r"(?:[a-f0-9]{4,}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?"
_PCI_ID = text(pattern=r"^0x[0-9a-fA-F]{4}$")
_CPU_FLAG = r"[+-]?[a-zA-Z0-9\-_\.]+"

NETWORK: Options = {
    "macaddr": text(format="mac-addr"),
    "model": choice(*NETWORK_MODELS, optional=False, default_key=True),
    **{model: alias("macaddr", key_alias="model") for model in NETWORK_MODELS},
    "bridge": text(format="pve-bridge-id"),
    "queues": integer(0, 64),
    "rate": number(0),
    "tag": integer(1, 4094),
    "trunks": text(pattern=_NUMBER_RANGES),
    "firewall": flag(),
    "link_down": flag(),
    "mtu": integer(1, 65520),
    "host-tunnel": flag(),
}

IP_CONFIGURATION: Options = {
    "ip": text(format="pve-ipv4-config", default="dhcp"),
    "gw": text(format="ipv4", requires="ip"),
    "ip6": text(format="pve-ipv6-config", default="dhcp"),
    "gw6": text(format="ipv6", requires="ip6"),
}

AGENT: Options = {
    "enabled": flag(0, default_key=True, optional=False),
    "fstrim_cloned_disks": flag(0),
    "freeze-fs": flag(1),
    "freeze-fs-on-backup": alias("freeze-fs"),
    "guest-fsfreeze": alias("freeze-fs"),
    "type": choice("virtio", "isa", default="virtio"),
}

MEMORY: Options = {"current": integer(16, default_key=True, optional=False, default=512)}

CPU: Options = {
    "cputype": text(default_key=True, default="kvm64"),
    "reported-model": text(default="kvm64"),
    "hidden": flag(0),
    "hv-vendor-id": text(pattern=r"[a-zA-Z0-9]{1,12}"),
    "flags": text(pattern=rf"{_CPU_FLAG}(;{_CPU_FLAG})*"),
    "guest-phys-bits": integer(32, 64),
    "phys-bits": text(format="pve-phys-bits"),
    "level": integer(0, 4294967295),
}

MACHINE: Options = {
    "type": text(
        default_key=True,
        max_length=40,
        pattern=r"(pc|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|q35|pc-q35-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?"
        r"|virt(?:-\d+(\.\d+)+)?(\+pve\d+)?)",
    ),
    "viommu": choice("intel", "virtio"),
    "aw-bits": number(32, 64),
    "enable-s3": flag(),
    "enable-s4": flag(),
}

BOOT: Options = {
    "legacy": text(default_key=True, pattern="[acdn]{1,4}", default="cdn"),
    "order": text(format="pve-qm-bootdev-list"),
}

SMBIOS: Options = {
    "uuid": text(pattern=r"[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}"),
    **dict.fromkeys(("version", "serial", "manufacturer", "product", "sku", "family"), _BASE64),
    "base64": flag(),
}

CUSTOM_CLOUD_INIT: Options = {name: text(format="pve-volume-id") for name in ("meta", "network", "user", "vendor")}

WATCHDOG: Options = {
    "model": choice("i6300esb", "ib700", default_key=True, default="i6300esb"),
    "action": choice("reset", "shutdown", "poweroff", "pause", "debug", "none"),
}

RANDOM_SOURCE: Options = {
    "source": choice("/dev/urandom", "/dev/random", "/dev/hwrng", default_key=True, optional=False),
    "max_bytes": integer(default=1024),
    "period": integer(default=1000),
}

PCI_DEVICE: Options = {
    "host": text(default_key=True, pattern=rf"{_PCI_ADDRESS}(;{_PCI_ADDRESS})*"),
    "mapping": text(format="pve-configid"),
    "rombar": flag(1),
    "romfile": text(pattern="[^,;]+"),
    "pcie": flag(0),
    "x-vga": flag(0),
    "legacy-igd": flag(0),
    "mdev": text(pattern=r"[^/\.:]+"),
    **dict.fromkeys(("vendor-id", "device-id", "sub-vendor-id", "sub-device-id"), _PCI_ID),
    "driver": choice("vfio", "keep", default="vfio"),
}

USB_DEVICE: Options = {
    "host": text(default_key=True, pattern=_USB_HOST),
    "mapping": text(format="pve-configid"),
    "usb3": flag(0),
}

AUDIO: Options = {
    "device": choice("ich9-intel-hda", "intel-hda", "AC97", optional=False),
    "driver": choice("spice", "none", default="spice"),
}

DISPLAY: Options = {
    "type": choice(
        "cirrus", "qxl", "qxl2", "qxl3", "qxl4", "none", "serial0", "serial1", "serial2", "serial3", "std", "virtio",
        "virtio-gl", "vmware", default_key=True, default="std",
    ),
    "memory": integer(4, 512),
    "clipboard": choice("vnc"),
}  # fmt: skip

NUMA_NODE: Options = {
    "cpus": text(pattern=_NUMBER_RANGES, optional=False),
    "memory": number(),
    "hostnodes": text(pattern=_NUMBER_RANGES),
    "policy": choice("preferred", "bind", "interleave"),
}

SHARED_MEMORY: Options = {
    "size": integer(1, optional=False),
    "name": text(pattern=r"[a-zA-Z0-9\-]+"),
}

SPICE_ENHANCEMENTS: Options = {
    "foldersharing": flag(0),
    "videostreaming": choice("off", "all", "filter", default="off"),
}

VIRTIOFS: Options = {
    "dirid": text(default_key=True, optional=False, format="pve-configid"),
    "cache": choice("auto", "always", "metadata", "never", default="auto"),
    "direct-io": flag(0),
    "expose-xattr": flag(0),
    "expose-acl": flag(0),
}

AMD_MEMORY_ENCRYPTION: Options = {
    "type": choice("std", "es", "snp", default_key=True, optional=False, max_length=3),
    "no-debug": flag(0),
    "no-key-sharing": flag(0),
    "allow-smt": flag(1),
    "kernel-hashes": flag(0),
}

INTEL_TRUST_DOMAIN: Options = {
    "type": choice("tdx", default_key=True, optional=False),
    "attestation": flag(1, optional=False),
    "vsock-cid": integer(2, default=2),
    "vsock-port": integer(0, default=4050),
}
