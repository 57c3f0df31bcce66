# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The foot of a terminal, on a terminal that is emulated."""

from __future__ import annotations

import os

import pyte
import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.foot import Foot


class Terminal:
    """An emulated screen, the foot on it, and whoever else prints there."""

    def __init__(self, columns: int = 40, lines: int = 12) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.Stream(self.screen)
        self.foot = Foot(self.stream.feed, lambda: os.terminal_size((self.screen.columns, self.screen.lines)))

    def print(self, text: str) -> None:
        self.stream.feed(text.replace("\n", "\r\n") + "\r\n")

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    @property
    def above(self) -> list[str]:
        return [line for line in self.lines[: self.screen.lines - 3] if line]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_it_stays_while_others_print_and_scroll(terminal: Terminal):
    terminal.print("$ make create-cluster")
    terminal.foot.show(["head", "pve1", "pve2"])
    for number in range(30):
        terminal.print(f"line {number}")
    assert terminal.lines[-3:] == ["head", "pve1", "pve2"]
    assert terminal.above == [f"line {number}" for number in range(22, 30)]


def test_nothing_is_lost_where_it_appears_on_a_full_screen(terminal: Terminal):
    for number in range(30):
        terminal.print(f"line {number}")
    terminal.foot.show(["head", "pve1", "pve2"])
    terminal.print("more")
    assert terminal.above[-2:] == ["line 29", "more"]


def test_redrawing_does_not_move_what_others_print(terminal: Terminal):
    terminal.stream.feed("Password: ")
    for second in range(5):
        terminal.foot.show(["head", f"pve1 {second} s"])
    terminal.stream.feed("typed")
    assert terminal.lines[0] == "Password: typed"
    assert terminal.lines[-2:] == ["head", "pve1 4 s"]


def test_it_grows_and_does_not_shrink(terminal: Terminal):
    terminal.print("before")
    terminal.foot.show(["head"])
    terminal.foot.show(["head", "pve1", "pve2"])
    terminal.foot.show(["head"])
    terminal.print("after")
    assert terminal.lines[-3:] == ["head", "", ""]
    assert terminal.above == ["before", "after"]


def test_it_takes_a_third_of_the_screen_at_most(terminal: Terminal):
    terminal.foot.show([f"line {number}" for number in range(20)])
    assert terminal.lines[-4:] == ["line 0", "line 1", "line 2", "line 3"]
    assert terminal.lines[:-4] == [""] * 8


def test_another_size_of_the_window(terminal: Terminal):
    terminal.foot.show(["head", "pve1"])
    terminal.screen.resize(20, 40)
    terminal.foot.show(["head", "pve1"])
    assert terminal.lines[-2:] == ["head", "pve1"]


def test_the_screen_is_given_back(terminal: Terminal):
    terminal.print("before")
    terminal.foot.show(["head", "pve1"])
    terminal.foot.close()
    assert terminal.screen.margins is None
    assert [line for line in terminal.lines if line] == ["before"]
    terminal.print("$ ")
    assert terminal.lines[1] == "$"
    terminal.foot.close()  # once more is nothing


def test_a_foot_that_was_never_shown_writes_nothing():
    written: list[str] = []
    Foot(written.append, lambda: os.terminal_size((80, 24))).close()
    assert written == []
