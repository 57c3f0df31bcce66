# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What work costs on a real node with two processors, when realistic costs are asked for.

The figures are those of the recorded nodes: a machine with an imported disk of 64 MiB takes 0.31 s by the API, 0.21 s each with
four and 0.18 s each with eight in flight, and 0.92 s by `qm create`, 0.5 s of which are the command's start.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from practice_pve import settings

# Seconds of one worker alone.
WORKER_COSTS = {
    "qmcreate": 0.12,
    "qmclone": 0.20,
    "qmconfig": 0.05,
    "qmmove": 0.20,
    "qmstart": 0.70,
    "qmstop": 0.25,
    "qmdestroy": 0.25,
    "qmtemplate": 0.20,
    "resize": 0.20,
    "vzcreate": 0.40,
    "vzdestroy": 0.25,
}
# Copying an image: a command loads the modules first that the daemons have long loaded.
COPY_COST = 0.19
COPY_COST_OF_COMMAND = 0.30
# Two at a time disturb each other.
COMPANY_SURCHARGE = 0.05
PROCESSORS = 2
_DIRECTORY = "/run/practice-node"
_PAUSE = 0.004


class Work:
    """What this process has to pay for."""

    seconds = 0.0
    copy_cost = COPY_COST_OF_COMMAND


def count_copy() -> None:
    """An image is copied."""
    Work.seconds += Work.copy_cost


def count_seconds(seconds: float) -> None:
    """A command has waited for its worker."""
    Work.seconds += seconds


def pay_call_cost(command: str) -> None:
    """Let a command take as long as its start and its work would on a real node."""
    settings.pay_call_cost(command, Work.seconds)


@contextmanager
def worker_cost(worker_type: str, synchronous: bool) -> Iterator[None]:
    """Hold one of the processors as long as the real worker would; the rest of the time is slept."""
    own_seconds = WORKER_COSTS.get(worker_type)
    if own_seconds is None or not settings.get("call_costs", False):
        yield
        return
    descriptor, in_company = _take_processor()
    started = time.monotonic()
    Work.seconds = own_seconds + (COMPANY_SURCHARGE if in_company else 0.0)
    Work.copy_cost = COPY_COST_OF_COMMAND if synchronous else COPY_COST
    try:
        yield
    finally:
        time.sleep(max(0.0, started + Work.seconds - time.monotonic()))
        os.close(descriptor)


def _take_processor() -> tuple[int, bool]:
    """A locked file that stands for a processor, and whether another one is busy."""
    os.makedirs(_DIRECTORY, exist_ok=True)
    files = [os.open(f"{_DIRECTORY}/processor-{number}", os.O_RDWR | os.O_CREAT, 0o600) for number in range(PROCESSORS)]
    while True:
        free = [descriptor for descriptor in files if _locks(descriptor)]
        if free:
            for descriptor in files:
                if descriptor != free[0]:
                    os.close(descriptor)
            return free[0], len(free) < PROCESSORS
        time.sleep(_PAUSE)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
