# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that are real QEMU processes, in nodes that have QEMU; they run in software, nowhere with KVM."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from practice_pve.guests import monitor_socket
from practice_pve.guests.drives import drives_of
from practice_pve.guests.qemu_command import PROGRAM, cards_of, command_line, tap_name
from practice_pve.rest.errors import ApiError
from practice_pve.storage.definitions import load_storages


def is_wanted(values: Mapping[str, object]) -> bool:
    """True in a node with QEMU for a machine that has something to boot; anything else only sleeps."""
    has_disk = any(not drive.is_cdrom for drive in drives_of(dict(values)))
    return PROGRAM.exists() and (has_disk or "args" in values)


def launch(guest_id: int, values: Mapping[str, object], directory: Path, *, paused: bool) -> int:
    """Start the process and plug its cards in; returns the process id."""
    argv = command_line(guest_id, values, load_storages(), directory)
    done = subprocess.run(
        [*argv, *(["-S"] if paused else [])],
        executable=PROGRAM,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stderr, end="")
        raise ApiError(f"start failed: QEMU exited with code {done.returncode}")
    for number, card in cards_of(values).items():
        _plug_in(tap_name(guest_id, number), card)
    return int((directory / f"{guest_id}.pid").read_text())


def _plug_in(tap: str, card: Mapping[str, object]) -> None:
    """What PVE's bridge script does, without VLANs. The card vanishes with the process that opened it."""
    # with a lower address than the others it would give the bridge, and so the node, a new one
    settings = ["address", f"fe{str(card['macaddr'])[2:]}"]
    if card.get("bridge"):
        settings += ["master", str(card["bridge"])]
    if not card.get("link_down"):
        settings += ["up"]
    subprocess.run(["ip", "link", "set", tap, *settings], check=True)


def is_real(guest_id: int) -> bool:
    """True for a running machine that is a QEMU process."""
    return monitor_socket.path_of(guest_id).exists()


def status(guest_id: int) -> str:
    """QEMU's own word: running, paused, ..."""
    return str(monitor_socket.ask(guest_id, "query-status")["status"])
