# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes this node this practice node: /etc/practice-node.json, written by the lab. Absent values: as a real node."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from typing import Any

SETTINGS_FILE = os.environ.get("PRACTICE_NODE_SETTINGS", "/etc/practice-node.json")
REPOSITORY_ID = "lab0000000000000"
PROCESS_START = time.monotonic()

# Seconds a command needs on an idle real node (Perl's start-up and module loading), see the recorded timings.
CALL_COSTS = {
    "pvesh": 0.58,
    "qm": 0.50,
    "pct": 0.48,
    "pvesm": 0.31,
    "pvecm": 0.20,
    "pveum": 0.28,
    "pvenode": 0.45,
    "ha-manager": 0.455,
    "pveversion": 0.194,
}


@cache
def load() -> dict[str, Any]:
    """Read the settings once; a node without the file is an ordinary node."""
    try:
        with open(SETTINGS_FILE, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return {}


def get(name: str, default: Any = None) -> Any:
    """Return one setting."""
    return load().get(name, default)


def pve_version() -> str:
    """Return the full version of pve-manager, for example 9.2.11."""
    return str(get("pve_version", "9.2.11"))


def pve_release() -> str:
    """Return major and minor version, for example 9.2."""
    return ".".join(pve_version().split(".")[:2])


def pve_major() -> int:
    """Return the major version, for example 9."""
    return int(pve_version().split(".")[0])


def nodename() -> str:
    """Return this node's name as PVE does: the host name up to the first dot."""
    return os.uname().nodename.split(".")[0]


def pay_call_cost(command: str, work: float = 0.0) -> None:
    """Sleep until the command has taken as long as the real one would, when realistic costs are asked for.

    `work` is what it did beyond its start-up.
    """
    if get("call_costs", False):
        remaining = CALL_COSTS.get(command, 0.3) + work - (time.monotonic() - PROCESS_START)
        if remaining > 0:
            time.sleep(remaining)
