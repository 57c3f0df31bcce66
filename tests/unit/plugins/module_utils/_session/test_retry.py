# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounded, growing pauses, on a clock that costs no time."""

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import (
    Busy,
    Exists,
    Failed,
    SessionError,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.http_session import passes_soon
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.retry import Retry


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Work:
    """Fails with the given errors in turn, then gives 'done'; each attempt takes a while."""

    def __init__(self, clock: Clock, *failures: SessionError, takes: float = 0.0) -> None:
        self.clock, self.failures, self.takes = clock, list(failures), takes
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        self.clock.now += self.takes
        if self.failures:
            raise self.failures.pop(0)
        return "done"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def retry(clock: Clock, **values: object) -> Retry:
    return Retry(clock=clock.time, sleep=clock.sleep, chance=lambda: 0.5, **values)  # type: ignore[arg-type]


def test_pauses_double_up_to_a_limit(clock: Clock) -> None:
    work = Work(clock, *[Busy("locked")] * 5)
    assert retry(clock, first_pause=1.0, longest_pause=4.0).call(work) == "done"
    assert clock.pauses == [1.0, 2.0, 4.0, 4.0, 4.0]


def test_attempts_are_bounded(clock: Clock) -> None:
    work = Work(clock, *[Busy(str(number)) for number in range(9)])
    with pytest.raises(Busy, match="2"):
        retry(clock, attempts=3).call(work)
    assert work.attempts == 3


def test_time_is_bounded(clock: Clock) -> None:
    work = Work(clock, *[Busy("got timeout")] * 9, takes=10.0)
    with pytest.raises(Busy):
        retry(clock, attempts=9, seconds=25.0).call(work)
    assert work.attempts == 3


def test_other_errors_come_through_at_once(clock: Clock) -> None:
    work = Work(clock, Failed("no"))
    with pytest.raises(Failed):
        retry(clock).call(work)
    assert work.attempts == 1 and not clock.pauses


def test_the_caller_says_what_passes(clock: Clock) -> None:
    assert retry(clock).call(Work(clock, Exists("100 already exists")), on=(Exists,)) == "done"
    with pytest.raises(Busy):
        retry(clock).call(Work(clock, Busy("VM is locked (backup)")), when=passes_soon)


def test_chance_keeps_colliding_runs_apart(clock: Clock) -> None:
    for chance, pause in ((0.0, 0.5), (1.0, 1.5)):
        Retry(first_pause=1.0, clock=clock.time, sleep=clock.sleep, chance=lambda chance=chance: chance).call(
            Work(clock, Busy("x"))
        )
        assert clock.pauses[-1] == pause
