# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of systemd units, as one C(systemctl show) prints it for all of them.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

SHOWN = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "ExecMainStatus")


@dataclass(frozen=True)
class UnitState:
    name: str
    load: str
    active: str
    sub: str = ""
    enabled: str = ""
    result: str = ""
    exit_status: str = ""

    @property
    def exists(self) -> bool:
        return self.load != "not-found"

    @property
    def running(self) -> bool:
        return self.active == "active" and self.sub not in ("exited", "dead")

    @property
    def busy(self) -> bool:
        """Running, or on the way up or down: not the moment to start it again."""
        return self.running or self.active in ("activating", "deactivating", "reloading")


def parse_units(text: str) -> dict[str, UnitState]:
    """The output for several units: blocks of C(name=value) with an empty line between them."""
    units = {}
    for block in text.strip().split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        missing = [name for name in ("Id", "LoadState", "ActiveState") if not values.get(name)]
        if missing:
            raise UnreadableText(f"systemctl show left out {', '.join(missing)}.")
        units[values["Id"]] = UnitState(
            values["Id"],
            values["LoadState"],
            values["ActiveState"],
            values.get("SubState", ""),
            values.get("UnitFileState", ""),
            values.get("Result", ""),
            values.get("ExecMainStatus", ""),
        )
    return units
