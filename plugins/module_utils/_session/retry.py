# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again, bounded, what Proxmox VE has refused for a reason that passes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import Busy, SessionError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Retry:
    """Only for errors that mean that nothing was done. Pauses double, with some chance in them: those who collided once
    shall not collide again."""

    attempts: int = 6
    first_pause: float = 0.25
    longest_pause: float = 5.0
    seconds: float = 60.0  # no new attempt after this time
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def call(
        self,
        function: Callable[[], Result],
        on: tuple[type[SessionError], ...] = (Busy,),
        when: Callable[[SessionError], bool] | None = None,
    ) -> Result:
        """Call the function until it raises none of C(on), or another error, or the last attempt's."""
        start = self.clock()
        pause = self.first_pause
        for attempt in range(1, self.attempts + 1):
            try:
                return function()
            except on as error:
                if attempt == self.attempts or (when is not None and not when(error)):
                    raise
                wait = pause * (0.5 + self.chance())
                if self.clock() - start + wait > self.seconds:
                    raise
                self.sleep(wait)
                pause = min(pause * 2, self.longest_pause)
        raise AssertionError("attempts must be at least 1")
