# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog resets a node whose HA daemon fell silent, and no other."""

from __future__ import annotations

import pytest

from practice_pve.daemons.watchdog_mux import Client, Multiplexer


@pytest.fixture
def multiplexer() -> Multiplexer:
    made = Multiplexer(0.0)
    made.clients[5] = Client(0.0)
    return made


def first_reset(multiplexer: Multiplexer, start: int, end: int) -> int | None:
    return next((second for second in range(start, end) if multiplexer.must_reset(float(second))), None)


def test_a_client_that_goes_on_is_left_alone(multiplexer: Multiplexer) -> None:
    for second in range(0, 300, 10):
        assert multiplexer.receive(5, b"\0", float(second))
        assert first_reset(multiplexer, second, second + 10) is None


def test_a_silent_client_costs_the_node_after_a_minute(multiplexer: Multiplexer) -> None:
    assert first_reset(multiplexer, 0, 200) == 71


def test_a_daemon_that_crashes_costs_the_node(multiplexer: Multiplexer) -> None:
    assert not multiplexer.must_reset(20.0)
    assert not multiplexer.receive(5, b"", 20.0)
    assert first_reset(multiplexer, 20, 200) == 31


def test_a_goodbye_is_no_crash(multiplexer: Multiplexer) -> None:
    assert multiplexer.receive(5, b"V", 20.0)
    assert not multiplexer.receive(5, b"", 20.0)
    assert first_reset(multiplexer, 20, 400) is None
