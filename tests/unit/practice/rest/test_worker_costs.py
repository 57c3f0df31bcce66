# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What workers cost, by a clock that stands still and sleeps that are only noted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from practice_pve import settings
from practice_pve.rest import worker_costs
from practice_pve.rest.worker_costs import count_copy, worker_cost


class Clock:
    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return 100.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker_costs, "time", clock)
    monkeypatch.setattr(worker_costs, "_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(settings, "get", lambda name, default=None: True if name == "call_costs" else default)
    return clock


def test_a_machine_from_an_image_takes_longer_by_a_command(clock: Clock) -> None:
    for synchronous in (False, True):
        with worker_cost("qmcreate", synchronous):
            count_copy()
    assert clock.slept == [0.31, 0.42]


def test_two_disturb_each_other_and_a_third_waits(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    other, in_company = worker_costs._take_processor()
    assert not in_company

    def give_up(_seconds: float) -> None:
        raise TimeoutError

    with worker_cost("qmcreate", False), monkeypatch.context() as patch:
        patch.setattr(clock, "sleep", give_up)
        with pytest.raises(TimeoutError):
            worker_costs._take_processor()
    assert clock.slept == [0.17]
    os.close(other)


def test_without_call_costs_nobody_waits(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "get", lambda _name, default=None: default)
    with worker_cost("qmcreate", False):
        count_copy()
    assert clock.slept == []


def test_what_has_no_price_costs_nothing(clock: Clock) -> None:
    with worker_cost("qmreset", False):
        pass
    assert clock.slept == []
