# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the monitor's C(info qtree) tells of the agent's port: there or not, and opened by the guest or not."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PORT = re.compile(r"\bport \d+, guest (on|off)\b")
_NAME = "org.qemu.guest_agent.0"
# With type=isa the agent speaks over a serial port, which does not know who has opened it, and whose own name QEMU does not show.
_SERIAL = re.compile(r"(?m)^\s*dev: isa-serial\b")


@dataclass(frozen=True)
class AgentDevice:
    present: bool
    listening: bool | None = None  # None: this kind of port cannot tell


def read_device_tree(text: str, kind: str = "virtio") -> AgentDevice:
    """Read C(info qtree); C(kind) is the type in the guest's option C(agent)."""
    if kind == "isa":
        return AgentDevice(bool(_SERIAL.search(text)))
    present = False
    for block in re.split(r"(?m)^\s*dev: ", text):
        # A bus of its own belongs to the devices on it, which are blocks of their own.
        own = block.partition("bus: ")[0]
        if f'"{_NAME}"' not in own:
            continue
        present = True
        port = _PORT.search(own)
        if port:
            return AgentDevice(True, port[1] == "on")
    return AgentDevice(present)
