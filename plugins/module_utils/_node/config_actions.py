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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Here, Member, Place
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.run import run

CONFIG = Path("/etc/pve/corosync.conf")
# PVE's own lock around every change of this file: a directory, which expires after two minutes.
_LOCK = Path("/etc/pve/priv/lock/file-corosync_conf")
_LOCK_SECONDS = 12.0
_POLL_SECONDS = 0.5
# corosync reloads a second after pmxcfs has the file, and a link needs some more to be noticed as dead.
_SETTLE_SECONDS = 3.0
_WRITABLE_SECONDS = 15.0
_RUNNING_VERSION = re.compile(r"totem\.config_version \(u64\) = (\d+)")


class ConfigActions:
    """One object per module run. C(addresses) are those at which PVE itself reaches the members."""

    def __init__(self, snapshot: Snapshot, addresses: Mapping[str, str]) -> None:
        self.snapshot = snapshot
        self.members: dict[str, Member] = {
            name: Member(address, name) for name, address in addresses.items() if name != snapshot.node_name
        }

    def table(self) -> dict[str, Callable[..., Any]]:
        return {name: getattr(self, name) for name in ("write_config", "await_config", "set_options")}

    def read_members(self) -> dict[str, Reading[Snapshot]]:
        """All at the same time; this node too."""
        asked = {name: member.start_reading() for name, member in self.members.items()}
        found = {self.snapshot.node_name: Here().read()}
        return found | {name: reading.finish() for name, reading in asked.items()}

    def _places(self) -> dict[str, Place]:
        return {self.snapshot.node_name: Here(), **self.members}

    def write_config(self, expected: str, text: str) -> None:
        with _locked():
            if CONFIG.read_text(encoding="utf-8") != expected:
                raise Refused(
                    "corosync.conf was changed by somebody else meanwhile; nothing was written.", "Run again."
                )
            _replace(text)

    def await_config(self, text: str, way_back: str, timeout: int) -> None:
        try:
            missing = self._await(read_corosync_config(text), timeout)
        except BaseException:
            self._go_back(way_back)
            raise
        if not missing:
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

    def _go_back(self, text: str) -> str:
        """Through /etc/pve; where the change has cost the quorum, on each member by itself."""
        deadline = time.monotonic() + _WRITABLE_SECONDS
        while True:
            try:
                _replace(text)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    return self._go_back_everywhere(text, str(error))
            time.sleep(_POLL_SECONDS)
        left = self._await(read_corosync_config(text), _WRITABLE_SECONDS * 2)
        if left:
            return f"The old configuration was written again, but: {'; '.join(left)}."
        return "The old configuration is in place again and every link is connected."

    def _go_back_everywhere(self, text: str, reason: str) -> str:
        script = (
            "cat > /etc/corosync/corosync.conf.new && mv /etc/corosync/corosync.conf.new /etc/corosync/corosync.conf"
            " && systemctl restart corosync"
        )
        failed = []
        for name, place in self._places().items():
            done = place.run(["sh", "-c", script], 90, text)
            if done.rc != 0:
                failed.append(f"{name}: {done.words}")
        deadline = time.monotonic() + _WRITABLE_SECONDS * 3
        while time.monotonic() < deadline:
            try:
                _replace(text)
            except OSError as error:
                reason = str(error)
                time.sleep(_POLL_SECONDS)
                continue
            left = self._await(read_corosync_config(text), _WRITABLE_SECONDS * 2)
            return f"The old configuration was put back on each node. {'; '.join(left + failed)}".strip()
        return f"Going back failed: /etc/pve stays read-only ({reason}). {'; '.join(failed)}".strip()


def _replace(text: str) -> None:
    """The way that Proxmox VE asks for: a file beside it, then a rename, so that no half of it is ever read."""
    new = CONFIG.with_name("corosync.conf.new")
    new.write_text(text, encoding="utf-8")
    os.rename(new, CONFIG)


def _running_version(place: Place) -> int | None:
    found = _RUNNING_VERSION.search(place.run(["corosync-cmapctl", "-g", "totem.config_version"], 15).stdout)
    return int(found[1]) if found else None


@contextmanager
def _locked() -> Iterator[None]:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            _LOCK.parent.mkdir(exist_ok=True)
            _LOCK.mkdir()
            break
        except FileExistsError:
            try:
                # Asks pmxcfs to take the lock of a dead holder away.
                os.utime(_LOCK, (0, 0))
            except OSError:
                pass
        except OSError as error:
            raise Refused(f"/etc/pve cannot be written: {error}", "Look at the quorum: pvecm status.") from error
        if time.monotonic() > deadline:
            raise Refused("Somebody else is changing corosync.conf; nothing was written.", "Run again in a minute.")
        time.sleep(1)
    try:
        yield
    finally:
        try:
            _LOCK.rmdir()
        except OSError:
            # Gone, or read-only because the quorum was lost: it expires by itself.
            pass
