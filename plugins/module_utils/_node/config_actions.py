# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change corosync.conf on a living cluster, look at every member whether it runs, and go back if it does not.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import (
    CorosyncConfig,
    read_corosync_config,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import (
    Refused,
    StepFailed,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_config import unmet_configuration
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import config_guard
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.config_lock import ConfigLock
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Here, Member, Place
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.run import run

CONFIG = Path("/etc/pve/corosync.conf")
_POLL_SECONDS = 0.5
# corosync reloads a second after pmxcfs has the file, and a link needs some more to be noticed as dead.
_SETTLE_SECONDS = 3.0
_RELOAD_SECONDS = 15.0
_GO_BACK_SECONDS = 45.0
_RUNNING_VERSION = re.compile(r"totem\.config_version \(u64\) = (\d+)")


class ConfigActions:
    """One object per module run. C(addresses) are those at which PVE itself reaches the members."""

    def __init__(self, snapshot: Snapshot, addresses: Mapping[str, str]) -> None:
        self.snapshot = snapshot
        self.lock = ConfigLock()
        self.members: dict[str, Member] = {
            name: Member(address, name) for name, address in addresses.items() if name != snapshot.node_name
        }

    def table(self) -> dict[str, Callable[..., Any]]:
        return {name: getattr(self, name) for name in ("guard_config", "write_config", "await_config", "set_options")}

    def read_members(self) -> dict[str, Reading[Snapshot]]:
        """All at the same time; this node too."""
        asked = {name: member.start_reading() for name, member in self.members.items()}
        found = {self.snapshot.node_name: Here().read()}
        return found | {name: reading.finish() for name, reading in asked.items()}

    def _places(self) -> dict[str, Place]:
        return {self.snapshot.node_name: Here(), **self.members}

    def write_config(self, expected: str, text: str) -> None:
        with self.lock.held():
            if CONFIG.read_text(encoding="utf-8") != expected:
                raise Refused(
                    "corosync.conf was changed by somebody else meanwhile; nothing was written.", "Run again."
                )
            _replace(text)

    def guard_config(self, change: Sequence[str], way_back: Sequence[str], timeout: int) -> None:
        config_guard.arm(change, way_back, self.members, timeout * len(change))

    def await_config(self, text: str, way_back: str, timeout: int, is_last: bool) -> None:
        missing = self._await(read_corosync_config(text), timeout)
        if not missing:
            if is_last:
                config_guard.disarm()
            return
        back = self._go_back(way_back)
        raise StepFailed(
            f"After {timeout} seconds with the new corosync.conf: {'; '.join(missing)}. {back}",
            "Check the addresses and that UDP 5405 and up passes between the nodes on each link.",
            {"rolled_back": back.startswith("The old")},
        )

    def set_options(self, options: Mapping[str, str]) -> None:
        argv = ["pvesh", "set", "/cluster/options"]
        for name, value in options.items():
            argv += [f"--{name}", value]
        done = run(argv, 60)
        if done.rc != 0:
            raise StepFailed(f"The options of the cluster were not set: {done.words}")

    def _await(self, config: CorosyncConfig, timeout: float) -> list[str]:
        """Good twice, some seconds apart: a link that has just been cut off still counts as connected."""
        deadline = time.monotonic() + timeout
        good_since: float | None = None
        while True:
            missing = self._unmet(config)
            now = time.monotonic()
            good_since = None if missing else good_since or now
            if good_since is not None and now - good_since >= _SETTLE_SECONDS:
                return []
            if now > deadline and missing:
                return missing
            time.sleep(_POLL_SECONDS)

    def _unmet(self, config: CorosyncConfig) -> list[str]:
        missing = []
        for name, reading in self.read_members().items():
            if reading.value is None:
                missing.append(f"{name}: {reading.reason}")
            else:
                missing += unmet_configuration(reading.value, config, links=True)
        if not missing:
            missing = [
                f"corosync on {name} runs version {version or 'unknown'}, not {config.config_version}"
                for name, place in self._places().items()
                if (version := _running_version(place)) != config.config_version
            ]
        return missing

    def take_back_unseen(self) -> None:
        """What a run has left that was killed before it saw its change working."""
        left = config_guard.go_back(self.members)
        missing = [] if left else self._settle_back(CONFIG.read_text(encoding="utf-8"))
        if left or missing:
            raise StepFailed(
                "An earlier change of corosync.conf was never seen working, and taking it back did not help:"
                f" {'; '.join([left, *missing]).strip('; ')}.",
                "Bring the quorum back (pvecm status), then run again.",
            )

    def _go_back(self, text: str) -> str:
        left = config_guard.go_back(self.members)
        if left:
            return f"Going back failed: {left}."
        missing = self._settle_back(text)
        if missing:
            return f"The old configuration was written again, but: {'; '.join(missing)}."
        return "The old configuration is in place again and every link is connected."

    def _settle_back(self, text: str) -> list[str]:
        """A member that has booted meanwhile runs other addresses than the rest, which no reload changes."""
        config = read_corosync_config(text)
        if not self._await(config, _RELOAD_SECONDS):
            return []
        for place in self._places().values():
            if _running_version(place) != config.config_version:
                place.run(["systemctl", "restart", "corosync"], 90)
        return self._await(config, _GO_BACK_SECONDS)


def _replace(text: str) -> None:
    """The way that Proxmox VE asks for: a file beside it, then a rename, so that no half of it is ever read."""
    new = CONFIG.with_name("corosync.conf.new")
    new.write_text(text, encoding="utf-8")
    os.rename(new, CONFIG)


def _running_version(place: Place) -> int | None:
    found = _RUNNING_VERSION.search(place.run(["corosync-cmapctl", "-g", "totem.config_version"], 15).stdout)
    return int(found[1]) if found else None
