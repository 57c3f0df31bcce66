# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvestatd: publishes this node's, its guests' and its storages' state every 10 seconds."""

from __future__ import annotations

import importlib
import syslog
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from practice_pve.rest.task_list import active_workers, broadcast

from .node_state import broadcast_facts, broadcast_node, broadcast_processor_flags
from .process import main as run_daemon
from .status_loop import loop

PID_FILE = Path("/run/pvestatd.pid")
ROUND_SECONDS = 10
# what other parts of a node have to publish: module, function
PUBLISHERS = (
    ("practice_pve.guests.status", "broadcast_guests"),
    ("practice_pve.storage.status", "broadcast_storages"),
)


def publish() -> None:
    """One round; a part that fails does not stop the others."""
    works: list[Callable[[], object]] = [broadcast_node, broadcast_facts]
    for module, function in PUBLISHERS:
        try:
            works.append(getattr(importlib.import_module(module), function))
        except (ModuleNotFoundError, AttributeError):
            continue
    works.append(lambda: broadcast(active_workers()))
    for work in works:
        try:
            work()
        except Exception:  # noqa: BLE001 - see above
            syslog.syslog(syslog.LOG_ERR, f"status update error: {traceback.format_exc()}")


def prepare() -> Callable[[], None]:
    """Return the loop."""

    def run() -> None:
        broadcast_processor_flags()
        loop(publish, ROUND_SECONDS)()

    return run


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    return run_daemon("pvestatd", PID_FILE, prepare, argv)
