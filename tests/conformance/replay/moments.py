# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a recording was made, as far as it tells; the moments give the order of the replay."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from replay.recordings import Recording

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
HTTP_DATE = re.compile(r"(\d\d) (" + "|".join(MONTHS) + r") (\d{4}) (\d\d):(\d\d):(\d\d) GMT")
ASCTIME = re.compile(r"(" + "|".join(MONTHS) + r") +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})")
ISO_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)")
UPID_START = re.compile(r"UPID:[^:]+:[0-9A-F]{8}:([0-9A-F]{8,9}):([0-9A-F]{8}):")
EPOCH = re.compile(r"(?:config-|ctime=|time\": ?)(1[789]\d{8})")


def read_moments(text: str) -> list[float]:
    """Every point in time written in the text, as seconds since 1970 (the recorded nodes run on UTC)."""
    moments: list[float] = []
    for day, month, year, *clock in HTTP_DATE.findall(text):
        moments.append(_seconds(year, MONTHS.index(month) + 1, day, *clock))
    for month, day, hour, minute, second, year in ASCTIME.findall(text):
        moments.append(_seconds(year, MONTHS.index(month) + 1, day, hour, minute, second))
    moments.extend(_seconds(*found) for found in ISO_TIME.findall(text))
    # The worker's start in hundredths since the boot tells what came first within one second.
    moments.extend(int(start, 16) + int(ticks, 16) * 1e-9 for ticks, start in UPID_START.findall(text))
    moments.extend(float(found) for found in EPOCH.findall(text))
    return moments


def made_at(recording: Recording) -> float | None:
    """The latest moment in what the node answered: it cannot have answered earlier. None where it tells nothing.

    The arguments do not count: a UPID in them is older than the call by an unknown time.
    """
    raw = recording.raw
    answer = {key: raw.get(key) for key in ("stdout", "stderr", "headers", "body", "seen", "results", "plays")}
    moments = read_moments(json.dumps(answer))
    return max(moments) if moments else None


def _seconds(year: str | int, month: str | int, day: str | int, hour: str, minute: str, second: str) -> float:
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC).timestamp()
