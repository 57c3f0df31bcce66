# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloud-init is told so that a new guest has its agent after the first boot, without any login."""

from __future__ import annotations

#: Debian's unit is static, and starts only when udev sees the port: after the installation somebody has to start it.
_START = (
    "systemctl start qemu-guest-agent || rc-service qemu-guest-agent start || service qemu-guest-agent start || true"
)


def render_vendor_data() -> str:
    """A C(#cloud-config) for the C(vendor) part of C(cicustom); what the user part says of packages stays."""
    return (
        "#cloud-config\n"
        "merge_how: 'list(append)+dict(recurse_list)+str()'\n"
        "package_update: true\n"
        "packages:\n"
        "  - qemu-guest-agent\n"
        "runcmd:\n"
        f'  - [sh, -c, "rc-update add qemu-guest-agent default 2>/dev/null; {_START}"]\n'
    )
