# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems of a guest held frozen for a while, and thawed whatever happens.

A marker on the host that runs the module tells a later run that the freeze was ours: when this one was killed, the next one
finds the guest frozen and thaws it. On a node a timer of systemd thaws it as well, also when nobody comes back.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from .agent import Agent, AgentError


@dataclass(frozen=True)
class Marker:
    """Who holds a guest's file systems, and until when at the latest."""

    process: int  # 0: nobody waits for the end; the freeze lasts until it is thawed or its time is over
    started: str  # when that process began: numbers of processes are used again
    until: float

    @property
    def is_held(self) -> bool:
        if self.process:
            return _start_of(self.process) == self.started != ""
        return time.time() < self.until


def _start_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def marker_directory() -> Path:
    if os.geteuid() == 0:
        return Path("/run/baremetal-proxmox/frozen")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or Path.home() / ".cache") / "baremetal-proxmox-frozen"


class ThawTimer:
    """A one-time timer of systemd on the guest's node. It outlives this process, and thaws only what is frozen then."""

    def __init__(self, vmid: int, directory: Path) -> None:
        self._unit = f"baremetal-proxmox-thaw-{vmid}"
        self._script = (
            f'[ "$(qm guest cmd {vmid} fsfreeze-status)" = thawed ] || qm guest cmd {vmid} fsfreeze-thaw; '
            f"rm -f {directory}/{vmid}.json"
        )

    def start(self, seconds: float) -> None:
        self.stop()
        done = _systemd(
            "systemd-run",
            f"--unit={self._unit}",
            f"--on-active={seconds:g}",
            "--timer-property=AccuracySec=1s",
            "--collect",
            "/bin/sh",
            "-c",
            self._script,
        )
        if done.returncode:
            raise AgentError(f"nothing was frozen: no timer for the thaw could be set ({done.stderr.strip()})")

    def stop(self) -> None:
        _systemd("systemctl", "stop", f"{self._unit}.timer")


def _systemd(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # pylint: disable=ansible-bad-function
        command, capture_output=True, text=True, check=False, timeout=30
    )


class FreezeKeeper:
    """Freezes and thaws one guest, and keeps the marker."""

    def __init__(self, agent: Agent, directory: Path, timer: ThawTimer | None = None) -> None:
        self._agent = agent
        self._file = directory / f"{agent.vmid}.json"
        self._timer = timer

    def marker(self) -> Marker | None:
        try:
            return Marker(**json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def recover(self, status: str, *, take_over: bool = False) -> bool:
        """Thaw what a run that is gone has left frozen. True if there was something to thaw."""
        marker = self.marker()
        if marker is None:
            return False
        if status != "frozen":
            self._forget()
            return False
        if marker.is_held and (marker.process or not take_over):
            return False
        self.thaw()
        return True

    def freeze(self, seconds: float, *, here: bool) -> int:
        """Freeze; C(here) means that this process stays until the thaw. Returns the number of frozen file systems."""
        process = os.getpid() if here else 0
        self._remember(Marker(process, _start_of(process) if here else "", time.time() + seconds))
        if self._timer is not None:
            self._timer.start(seconds)
        try:
            return int(self._agent.command("fsfreeze-freeze"))
        except BaseException:
            # It may be frozen all the same: lost answers, half a freeze, the hook's failure.
            self.thaw()
            raise

    def thaw(self) -> int:
        count = int(self._agent.command("fsfreeze-thaw") or 0)
        status = self._agent.freeze_status()
        if status != "thawed":
            raise AgentError(f"the guest was thawed and still says {status}")
        self._forget()
        return count

    @contextmanager
    def frozen(self, seconds: float) -> Iterator[int]:
        count = self.freeze(seconds, here=True)
        try:
            yield count
        finally:
            self.thaw()

    def _remember(self, marker: Marker) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(marker)), encoding="utf-8")
        fresh.replace(self._file)

    def _forget(self) -> None:
        self._file.unlink(missing_ok=True)
        if self._timer is not None:
            self._timer.stop()
