# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for a password, on a terminal or from the lines of stdin."""

from __future__ import annotations

import getpass
import sys

from practice_pve.rest.errors import ApiError


def read_line(prompt: str) -> str:
    """Return one password; the end of the input is an error."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    line = sys.stdin.readline()
    if not line:
        raise ApiError("EOF while reading password\n")
    return line.rstrip("\n")


def ask(_given: str | None) -> str:
    """Return a password that is asked for once, whatever stands on the command line."""
    return read_line("Enter password: ")


def ask_twice(given: str | None) -> str:
    """Return the given password, or ask for it twice."""
    if given:
        return given
    first = read_line("Enter new password: ")
    if read_line("Retype new password: ") != first:
        raise ApiError("Passwords do not match.\n")
    return first
