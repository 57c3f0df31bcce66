# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""device_trees/ holds what QEMU 7.2 said to "info qtree", shortened around the port."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.device import AgentDevice, read_device_tree

TREES = Path(__file__).parent / "device_trees"
VIRTIO = (TREES / "virtio.txt").read_text(encoding="utf-8")
ISA = (TREES / "isa.txt").read_text(encoding="utf-8")
OTHER = VIRTIO.replace("org.qemu.guest_agent.0", "com.redhat.spice.0")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("tree", "kind", "device"),
    [
        (VIRTIO, "virtio", AgentDevice(True, False)),
        (VIRTIO.replace("guest off", "guest on"), "virtio", AgentDevice(True, True)),
        (VIRTIO.replace("    port 1, guest off, host off, throttle off", ""), "virtio", AgentDevice(True, None)),
        (OTHER, "virtio", AgentDevice(False)),
        (VIRTIO + OTHER.replace("guest off", "guest on"), "virtio", AgentDevice(True, False)),
        (ISA, "virtio", AgentDevice(False)),
        (ISA, "isa", AgentDevice(True, None)),
        (VIRTIO, "isa", AgentDevice(False)),
    ],
)
def test_the_port_in_what_qemu_tells(tree: str, kind: str, device: AgentDevice, line_end: str) -> None:
    assert read_device_tree(tree.replace("\n", line_end), kind) == device
