# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Human readable forms of values in text output."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from .yaml_text import to_yaml


def timestamp(value: Any) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(value)))


def timestamp_gmt(value: Any) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(value)))


def duration(value: Any) -> str:
    """Return seconds as "1h 18m 43s"."""
    rest = math.floor(float(value) + 0.5)
    parts = []
    for unit, length in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def percentage(value: Any) -> str:
    return f"{float(value) * 100:.2f}%"


def byte_size(value: Any) -> str:
    """Return bytes as "23.54 GiB"."""
    number = float(value)
    exponent = int(math.log(number) / math.log(1024)) if number > 1023 else 0
    return f"{number / 1024**exponent:.2f} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB')[exponent]}"


def yaml(value: Any) -> str:
    """Return YAML without the document marker."""
    text = to_yaml(value)
    return text[4:]


RENDERERS: dict[str, Callable[[Any], str]] = {
    "timestamp": timestamp,
    "timestamp_gmt": timestamp_gmt,
    "duration": duration,
    "fraction_as_percentage": percentage,
    "bytes": byte_size,
    "yaml": yaml,
}


def render(name: str, value: Any) -> str:
    """Return the value in the named form."""
    return RENDERERS[name](value)
