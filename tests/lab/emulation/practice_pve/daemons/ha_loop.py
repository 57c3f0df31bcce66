# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of the HA daemons: what they do lies in practice_pve.ha.rounds (crm_round, lrm_round)."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable

from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError

from .status_loop import loop

# the real ones wake up every 5 seconds when idle
ROUND_SECONDS = 5
MODULE = "practice_pve.ha.rounds"
STATUS_FILE = "local/lrm_status"
IDLE = "wait_for_agent_lock"


def prepare_loop(kind: str) -> Callable[[], None]:
    """Return the daemon's loop; without the HA part the crm idles and the lrm says that it waits."""
    try:
        rounds = importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        if error.name not in (MODULE, MODULE.rpartition(".")[0]):
            raise
        return loop(write_idle_status, ROUND_SECONDS) if kind == "lrm" else loop(lambda: None, 60)
    return loop(getattr(rounds, f"{kind}_round"), ROUND_SECONDS)


def write_idle_status() -> None:
    """Write lrm_status as an idle manager does, unless somebody has planted another state."""
    try:
        if not client.is_quorate() or not client.is_mounted():
            return
        present = client.read(STATUS_FILE)
        if present and json.loads(present).get("state") != IDLE:
            return
        status = {"mode": "active", "results": {}, "state": IDLE, "timestamp": int(time.time())}
        client.write(STATUS_FILE, json.dumps(status, separators=(",", ":"), sort_keys=True))
    except (ApiError, ValueError):
        return  # quorum was lost in between, or the file is nobody's JSON: the next round tries again
