# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes as Proxmox VE writes them: C(20G), C(2252M), C(104858K), C(512) are bytes in powers of 1024.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re

from .errors import InvalidValue

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")


def parse_size(value: object) -> int:
    """Bytes of a text such as C(20G)."""
    text = str(value).strip()
    matched = _SIZE.fullmatch(text)
    if isinstance(value, bool) or not matched:
        raise InvalidValue(f"'{text}' is not a size (a number and K, M, G or T, like 20G)")
    return int(float(matched[1]) * _UNITS[matched[2]])


def parse_disk_size(value: object) -> int:
    """Bytes of a disk: a bare number means GiB here, as in C(STORAGE:20) and everywhere in Proxmox VE's forms."""
    text = str(value).strip()
    if not isinstance(value, bool) and re.fullmatch(r"\d+(\.\d+)?", text):
        return int(float(text) * _UNITS["G"])
    return parse_size(value)


def format_size(size: int) -> str:
    """The shortest text that says exactly this many bytes."""
    for unit in ("T", "G", "M", "K"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def format_gibibytes(size: int) -> str:
    """What stands after C(STORAGE:): a number of GiB, with as many decimals as it needs."""
    return f"{size / _UNITS['G']:.10f}".rstrip("0").rstrip(".")
