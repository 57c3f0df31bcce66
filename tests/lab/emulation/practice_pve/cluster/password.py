# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password for a join: a line of stdin, or typed at a terminal without showing."""

from __future__ import annotations

import os
import sys
import termios
import tty

from practice_pve.rest.errors import ApiError


def read_password(prompt: str) -> str:
    """Without a terminal nothing is prompted and the first line is the password."""
    if sys.stdin is None or not sys.stdin.isatty():
        line = sys.stdin.readline() if sys.stdin else ""
        if not line:
            raise ApiError("EOF while reading password\n")
        return line.removesuffix("\n")
    return _type_password(prompt, sys.stdin.fileno())


def _type_password(prompt: str, terminal: int) -> str:
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        _show(prompt)
        return _read_keys(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)


def _read_keys(terminal: int) -> str:
    password = b""
    echo: bool | None = None
    while key := os.read(terminal, 1):
        if key == b"\x04":
            break
        if key in b"\r\n":
            _show("\r\n")
            break
        if key == b"\x03":
            raise ApiError("password input aborted\n")
        if key == b"\x7f":
            echo = False if echo is None else echo
            if password:
                password = password[:-1]
                _show("\b \b")
        elif key == b"\t":
            echo = False
        else:
            echo = True if echo is None else echo
            password += key
            if echo:
                _show("*")
    return password.decode("utf-8", "surrogateescape")


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
