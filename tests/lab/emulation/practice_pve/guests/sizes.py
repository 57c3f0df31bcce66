# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk sizes as PVE reads, rounds and prints them."""

from __future__ import annotations

import math
import re

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def parse_size(text: str) -> int | None:
    """Bytes of `20G`, `512` or `1.5GiB`; None for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:iB)?", text)
    return int(float(match[1]) * _UNITS[match[2]]) if match else None


def format_size(size: int) -> str:
    """The shortest exact spelling: 104858K, 64M, 20G, 512."""
    for unit in ("", "K", "M", "G"):
        if size % 1024 or size == 0:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}T"


def format_human(size: float) -> str:
    """The spelling of progress lines: 766.8 KiB, 64.0 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def gigabytes_to_kilobytes(text: str) -> int:
    """The size in `local:0.1`: PVE allocates in KiB and rounds up."""
    return math.ceil(float(text) * 1024 * 1024)
