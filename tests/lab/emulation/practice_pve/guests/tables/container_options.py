# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of a container's configuration."""

from __future__ import annotations

from practice_pve.guests.tables.words import Options, choice, family, flag, integer, number, properties, text

_ID_MAP = r"^(?:passthrough|[ug]:[0-9]+:[0-9]+:[1-9][0-9]*(?:;[ug]:[0-9]+:[0-9]+:[1-9][0-9]*)*)$"
_MOUNT_OPTION = "(discard|lazytime|noatime|nodev|noexec|nosuid)"
_VISIBLE = r"[^\x00-\x08\x0a-\x1F\x7F]"

ROOT_FILE_SYSTEM: Options = {
    "volume": text(default_key=True, optional=False, format="pve-lxc-mp-string"),
    "size": text(format="disk-size"),
    "acl": flag(),
    "mountoptions": text(pattern=rf"{_MOUNT_OPTION}(;{_MOUNT_OPTION})*"),
    "ro": flag(),
    "quota": flag(),
    "replicate": flag(1),
    "shared": flag(0),
    "idmap": text(pattern=_ID_MAP),
}

MOUNT_POINT: Options = {
    **ROOT_FILE_SYSTEM,
    "backup": flag(),
    "mp": text(optional=False, format="pve-lxc-mp-string"),
    "keepattrs": flag(0),
}

NETWORK: Options = {
    "type": choice("veth"),
    "name": text(optional=False, pattern=r"[-_.\w\d]+"),
    "bridge": text(pattern=r"[-_.\w\d]+"),
    "hwaddr": text(format="mac-addr"),
    "mtu": integer(64, 65535),
    "ip": text(format="pve-ipv4-config"),
    "gw": text(format="ipv4"),
    "ip6": text(format="pve-ipv6-config"),
    "gw6": text(format="ipv6"),
    "firewall": flag(),
    "host-managed": flag(),
    "tag": integer(1, 4094),
    "trunks": text(pattern=r"\d+(?:;\d+)*"),
    "rate": number(),
    "link_down": flag(),
}

FEATURES: Options = {
    "mount": text(pattern="[a-zA-Z0-9_; ]+"),
    "nesting": flag(0),
    "keyctl": flag(0),
    "fuse": flag(0),
    "mknod": flag(0),
    "force_rw_sys": flag(0),
}

DEVICE: Options = {
    "path": text(default_key=True, format="pve-lxc-dev-string"),
    "mode": text(pattern="0[0-7]{3}"),
    "uid": integer(0),
    "gid": integer(0),
    "deny-write": flag(0),
}

BASE_OPTIONS: Options = {
    "lock": choice(
        "backup", "create", "destroyed", "disk", "fstrim", "migrate", "mounted", "rollback", "snapshot",
        "snapshot-delete",
    ),
    "onboot": flag(0),
    "startup": text(format="pve-startup-order"),
    "template": flag(0),
    "arch": choice("amd64", "i386", "arm64", "armhf", "riscv32", "riscv64", default="amd64"),
    "ostype": choice(
        "debian", "devuan", "ubuntu", "centos", "fedora", "opensuse", "archlinux", "alpine", "gentoo", "nixos",
        "unmanaged",
    ),
    "console": flag(1),
    "tty": integer(0, 6, default=2),
    "cores": integer(1, 8192),
    "cpulimit": number(0, 8192, default=0),
    "cpuunits": integer(0, 500000),
    "memory": integer(16, default=512),
    "swap": integer(0, default=512),
    "hostname": text(format="dns-name", max_length=255),
    "description": text(max_length=8192),
    "searchdomain": text(format="dns-name-list"),
    "nameserver": text(format="lxc-ip-with-ll-iface-list"),
    "timezone": text(format="pve-ct-timezone"),
    "rootfs": properties(ROOT_FILE_SYSTEM),
    "cmode": choice("shell", "console", "tty", default="tty"),
    "protection": flag(0),
    "unprivileged": flag(0),
    "features": properties(FEATURES),
    "hookscript": text(format="pve-volume-id"),
    "tags": text(format="pve-tag-list"),
    "debug": flag(0),
    "entrypoint": text(pattern=rf"{_VISIBLE}+"),
    "env": text(pattern=rf"(?:\w+={_VISIBLE}*)(?:\0\w+={_VISIBLE}*)*"),
}  # fmt: skip

FAMILIES: Options = {
    **family("net", 32, properties(NETWORK)),
    **family("mp", 256, properties(MOUNT_POINT)),
    **family("dev", 256, properties(DEVICE)),
    **family("unused", 256, properties({"volume": text(default_key=True, optional=False, format="pve-volume-id")})),
}

INTERNAL_OPTIONS: Options = {
    "parent": text(format="pve-configid", max_length=40),
    "snaptime": integer(0),
}

CALL_OPTIONS: Options = {**BASE_OPTIONS, **FAMILIES}
FILE_OPTIONS: Options = {**CALL_OPTIONS, **INTERNAL_OPTIONS}

MOUNT_NAMES = ("rootfs", *(f"mp{index}" for index in range(256)))
