# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests look at on practice nodes beside the collection, and how they wait for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from busy_machine import allow
from practice_lab import Lab

# A shell command that ends well as soon as /etc/pve can be written.
_PROBE = "echo x 2>/dev/null > /etc/pve/probe && rm /etc/pve/probe"
WRITABLE = f"for i in $(seq 110); do {_PROBE} && exit 0; sleep 0.5; done; exit 1"


def shell(lab: Lab, node: str, command: str) -> str:
    return lab.node(node).run(["sh", "-c", command], timeout=60).check().stdout.strip()


def members(lab: Lab, node: str) -> set[str]:
    """Whom the node lists."""
    return set(_membership(lab, node).get("nodelist", {}))


def is_quorate(lab: Lab, node: str) -> bool:
    return bool(_membership(lab, node).get("cluster", {}).get("quorate") == 1)


def can_write(lab: Lab, node: str) -> bool:
    return lab.node(node).run(["sh", "-c", _PROBE], timeout=60).rc == 0


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + allow(seconds)
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds:.0f} s"
        time.sleep(0.5)


def _membership(lab: Lab, node: str) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(shell(lab, node, "cat /etc/pve/.members"))
    return seen
