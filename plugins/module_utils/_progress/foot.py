# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that stay at the foot of a terminal while everything else scrolls above them.

The terminal is told to scroll only its upper part. So whatever is printed by whomever (warnings, tables, questions, programs that write
to the terminal by themselves) needs no cooperation, as it is with the bar of Debian's apt.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

SAVE, RESTORE = "\x1b7", "\x1b8"
WHOLE_SCREEN = "\x1b[r"
CLEAR_LINE = "\x1b[2K"


class Foot:
    """The lines at the foot. C(write) takes text for the terminal, C(size) tells its columns and rows."""

    def __init__(self, write: Callable[[str], None], size: Callable[[], os.terminal_size]) -> None:
        self._write = write
        self._size = size
        self._height = 0
        self._taken_of: os.terminal_size | None = None

    def room(self) -> tuple[int, int]:
        """Columns and lines that may be used: never more than a third of the screen."""
        size = self._size()
        return size.columns, max(size.lines // 3, 1)

    def show(self, lines: Sequence[str]) -> None:
        size = self._size()
        text = ""
        # It grows and never shrinks: a foot that goes up and down with every task is hard to read.
        height = max(self._height, min(len(lines), max(size.lines // 3, 1)))
        if height != self._height or size != self._taken_of:
            text += self._take(size, height)
        first = size.lines - height + 1
        padded = [*lines[:height], *[""] * (height - len(lines))]
        rows = "".join(f"\x1b[{first + number};1H{CLEAR_LINE}{line}" for number, line in enumerate(padded))
        self._write(f"{text}{SAVE}{rows}{RESTORE}")

    def close(self) -> None:
        """Give the screen back as it was, with an empty foot."""
        if self._taken_of is None:
            return
        first = self._size().lines - self._height + 1
        self._write(f"{SAVE}{WHOLE_SCREEN}\x1b[{max(first, 1)};1H\x1b[J{RESTORE}")
        self._height, self._taken_of = 0, None

    def _take(self, size: os.terminal_size, height: int) -> str:
        """Make room: scroll up what stands there, if anything does, and let the rest of the screen scroll alone."""
        grown = height - self._height
        # The old foot goes; growing by some lines, the text above has to move up by as many.
        text = (
            f"{SAVE}{WHOLE_SCREEN}\x1b[{max(size.lines - self._height + 1, 1)};1H\x1b[J{RESTORE}"
            if self._height
            else ""
        )
        text += "\n" * height + f"\x1b[{height}A" if grown > 0 else ""
        self._height, self._taken_of = height, size
        return f"{text}{SAVE}\x1b[1;{size.lines - height}r{RESTORE}"


def write_to(descriptor: int) -> Callable[[str], None]:
    """Past Python's buffers: a worker that Ansible forks while a buffer is locked would wait for it forever."""

    def write(text: str) -> None:
        data = text.encode("utf-8", "replace")
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except OSError:  # the terminal is gone; the run goes on
            return

    return write
