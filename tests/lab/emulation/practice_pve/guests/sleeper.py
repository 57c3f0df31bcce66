# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that only seem to run: a process that sleeps stands for QEMU, so that process ids, `kill` and a crash behave."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path


def launch(guest_id: int, directory: Path, *, agent_port: bool) -> int:
    """Start the process; returns its id."""
    process = subprocess.Popen(
        [f"/usr/bin/kvm -id {guest_id}", "infinity"],
        executable="/usr/bin/sleep",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (directory / f"{guest_id}.pid").write_text(f"{process.pid}\n")
    if agent_port:
        with socket.socket(socket.AF_UNIX) as port:  # one that nobody listens on: what asks looks whether it is there
            port.bind(str(directory / f"{guest_id}.qga"))
    # the caller is short-lived and must not complain about a child it leaves behind
    process.returncode = 0
    return process.pid


def set_paused(guest_id: int, directory: Path, paused: bool) -> None:
    """Remember that the processors stand still, or forget it."""
    marker = directory / f"{guest_id}.paused"
    if paused:
        marker.touch()
    else:
        marker.unlink(missing_ok=True)


def is_paused(guest_id: int, directory: Path) -> bool:
    """Whether the processors stand still."""
    return (directory / f"{guest_id}.paused").exists()


def device_tree(guest_id: int, directory: Path, *, listening: bool) -> str:
    """The part of `info qtree` that tells of the agent's port, and whether somebody in the guest holds it."""
    if not (directory / f"{guest_id}.qga").exists():
        return "bus: main-system-bus\n"
    return f"""\
bus: main-system-bus
  type System
  dev: virtio-serial-pci, id "qga0"
    bus: qga0.0
      type virtio-serial-bus
      dev: virtserialport, id ""
        chardev = "qga0"
        nr = 1 (0x1)
        name = "org.qemu.guest_agent.0"
        port 1, guest {"on" if listening else "off"}, host off, throttle off
"""
