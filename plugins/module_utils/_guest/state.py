# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest as it is: its configuration, what of it waits for a restart, and whether it runs.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: What the API answers about a guest but is no key of it.
_NOT_KEYS = ("digest", "lock", "template", "parent", "meta", "vmstate", "snaptime", "runningmachine", "runningcpu")


@dataclass(frozen=True)
class GuestState:
    vmid: int
    node: str
    name: str = ""
    kind: str = "qemu"
    status: str = "stopped"
    is_template: bool = False
    lock: str = ""
    pool: str = ""
    ha_state: str = ""
    #: The configuration with everything pending applied: what holds after the next full stop and start.
    config: Mapping[str, Any] = field(default_factory=dict)
    #: Keys whose running value is another one.
    pending: tuple[str, ...] = ()
    digest: str = ""
    #: Seconds since the epoch, 0 if Proxmox VE did not note it.
    created: int = 0

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    @property
    def is_husk(self) -> bool:
        """Nothing but the reservation that a killed create or clone left behind: no name, no drive, no key at all."""
        if self.lock not in ("create", "clone"):
            return False
        keys = set(self.config) - {"description"}
        description = str(self.config.get("description", "")).strip()
        return not keys and description in ("", "qmclone temporary file")


def read_creation(meta: object) -> int:
    """The time in C(creation-qemu=10.1.2,ctime=1795206222)."""
    found = re.search(r"\bctime=(\d+)", str(meta or ""))
    return int(found[1]) if found else 0


def _with_true_size(value: str, pending: Any) -> Any:
    """A volume that has grown since its options wait for a restart: what waits still tells the old size."""
    size, stale = (re.search(r"(?<=,size=)[^,]+", text) for text in (value, str(pending)))
    if size and stale and value.partition(",")[0] == str(pending).partition(",")[0]:
        return str(pending)[: stale.start()] + size[0] + str(pending)[stale.end() :]
    return pending


def read_pending(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]:
    """The answer of C(/pending): the configuration to come, the keys that wait for it, and what is no key."""
    config: dict[str, Any] = {}
    other: dict[str, Any] = {}
    pending = []
    for row in rows:
        key = str(row["key"])
        if key in _NOT_KEYS:
            other[key] = row.get("value")
            continue
        if row.get("delete"):
            pending.append(key)
        elif "pending" in row:
            pending.append(key)
            config[key] = _with_true_size(str(row.get("value", "")), row["pending"])
        else:
            config[key] = row.get("value")
    return config, tuple(sorted(pending)), other
