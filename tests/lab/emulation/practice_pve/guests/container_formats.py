# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The named formats that only containers use."""

from __future__ import annotations

import re

from practice_pve.rest.formats import FormatError, check_timezone, is_ip, register_format


def check_mount_point(value: str) -> str:
    """An absolute path without empty or dot parts, a volume id, or a request for a new volume."""
    if value.startswith("/") and re.search(r"/\.{1,2}(?:/|$)|//", value):
        raise FormatError("mount point path contains illegal parts")
    return value


def check_device(value: str) -> str:
    if value != "mapping" and not value.startswith("/dev/"):
        raise FormatError(f"{value} must start with /dev/")
    return value


def check_name_server(value: str) -> str:
    address, percent, _interface = value.partition("%")
    if value == "host" or (is_ip(address) and (not percent or address.lower().startswith("fe8"))):
        return value
    raise FormatError("value does not look like a valid IP address or link-local address with interface")


def check_container_timezone(value: str) -> str:
    return value if value == "host" else str(check_timezone(value))


register_format("pve-lxc-mp-string", check_mount_point)
register_format("pve-lxc-dev-string", check_device)
register_format("lxc-ip-with-ll-iface", check_name_server)
register_format("pve-ct-timezone", check_container_timezone)
