# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pve-ha-crm: the cluster resource manager's rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from .ha_loop import prepare_loop
from .process import main as run_daemon

PID_FILE = Path("/run/pve-ha-crm.pid")


def prepare() -> Callable[[], None]:
    """Return the loop."""
    return prepare_loop("crm")


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    return run_daemon("pve-ha-crm", PID_FILE, prepare, argv)
