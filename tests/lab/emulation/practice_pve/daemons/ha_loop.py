# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of the HA daemons: what they do lies in practice_pve.ha.rounds (crm_round, lrm_round)."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from .status_loop import loop

# the real ones wake up every 5 seconds when idle
ROUND_SECONDS = 5
MODULE = "practice_pve.ha.rounds"


def prepare_loop(kind: str) -> Callable[[], None]:
    """Return the daemon's loop; without the HA part it idles."""
    try:
        rounds = importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        if error.name not in (MODULE, MODULE.rpartition(".")[0]):
            raise
        return loop(lambda: None, 60)
    return loop(getattr(rounds, f"{kind}_round"), ROUND_SECONDS)
