# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits that Proxmox makes on purpose: an emulation that answers at once is kinder than the real node."""

from __future__ import annotations

import re
from dataclasses import dataclass

from replay.normal_form import Answer

# A machine's own speed may not decide: only waits of a second or more are compared, and with this share of slack.
SLACK = 0.15


@dataclass(frozen=True)
class Delay:
    name: str
    pattern: re.Pattern[str]
    seconds: float


DELAYS: tuple[Delay, ...] = (
    Delay(
        "a refused login",
        re.compile(r"\b401 (authentication failure|No ticket|Authentication failed!|no such user|permission denied)"),
        3.0,
    ),
    Delay("a cluster file lock without quorum", re.compile(r"cfs-lock '[^']+' error: no quorum!"), 9.0),
    Delay("a lock that is held", re.compile(r"can't lock file '[^']+' - got timeout"), 10.0),
    Delay("a connection to a host that is not there", re.compile(r"595 Connection timed out"), 30.0),
    Delay("an answer that cannot be encoded", re.compile(r"596 Broken pipe"), 5.0),
)


def missing_delay(recorded: Answer, live: Answer) -> str | None:
    """Why the live answer came too early; None when it did not."""
    for delay in DELAYS:
        # The recording itself must have waited: the same text also comes from where nothing waits.
        if not delay.pattern.search(recorded.text) or recorded.seconds < delay.seconds * (1 - SLACK):
            continue
        if delay.pattern.search(live.text) and live.seconds < delay.seconds * (1 - SLACK):
            return f"{delay.name} takes {delay.seconds:g} s, here {live.seconds:.1f} s"
    return None
