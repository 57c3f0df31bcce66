# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One controller at a time: a lease on the node, with an owner, an age and an end.

This file is private to the collection and may change without notice.

The lease lies on tmpfs, so a reboot ends it. A module's own lease also ends with the module's process, so that a run that
was killed does not lock out the next one.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Locked

DIRECTORY = Path("/run/baremetal-proxmox")


@dataclass(frozen=True)
class Lease:
    """C(process) is 0 for a lease that outlives the module which took it."""

    owner: str
    since: float
    until: float
    process: int = 0
    process_start: str = ""

    @property
    def valid(self) -> bool:
        if self.process and process_start(self.process) != self.process_start:
            return False
        return time.time() < self.until

    @property
    def words(self) -> str:
        age, left = time.time() - self.since, self.until - time.time()
        return f"{self.owner} (for {age:.0f} seconds, at most {left:.0f} more)"


def parse_lease(text: str | None) -> Lease | None:
    try:
        return Lease(**json.loads(text)) if text else None
    except (TypeError, ValueError):
        # Half a lease is what a full tmpfs or a foreign hand leaves; nobody can have written it in earnest.
        return None


def acquire(owner: str, seconds: float, steal: bool = False, directory: Path = DIRECTORY) -> bool:
    """Take or renew a lease that lasts; true if it was not this owner's before."""
    with _guarded(directory) as path:
        held = _read(path)
        ours = held is not None and held.valid and held.owner == owner and not held.process
        if held is not None and held.valid and held.owner != owner and not steal:
            raise _locked(held)
        since = held.since if held is not None and ours else time.time()
        _write(path, Lease(owner, since, time.time() + seconds))
        return not ours


def release(owner: str, directory: Path = DIRECTORY) -> bool:
    """Give the lease back; true if it was there."""
    with _guarded(directory) as path:
        held = _read(path)
        if held is None or not held.valid:
            path.unlink(missing_ok=True)
            return False
        if held.owner != owner:
            raise _locked(held)
        path.unlink()
        return True


@contextmanager
def held_while(owner: str | None, seconds: float, directory: Path = DIRECTORY) -> Iterator[None]:
    """Hold a lease for the length of a module run, under the lasting lease of the same owner if there is one."""
    name = owner or f"process {os.getpid()}"
    with _guarded(directory) as path:
        held = _read(path)
        if held is not None and held.valid and (held.owner != name or held.process):
            raise _locked(held)
        lasting = held is not None and held.valid
        if held is not None and lasting:
            _write(path, Lease(name, held.since, max(held.until, time.time() + seconds)))
        else:
            start = process_start(os.getpid())
            _write(path, Lease(name, time.time(), time.time() + seconds, os.getpid(), start))
    try:
        yield
    finally:
        if not lasting:
            with _guarded(directory) as path:
                held = _read(path)
                if held is not None and held.process == os.getpid():
                    path.unlink()


@contextmanager
def _guarded(directory: Path) -> Iterator[Path]:
    directory.mkdir(mode=0o700, exist_ok=True)
    with (directory / "lease.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield directory / "lease.json"


def _read(path: Path) -> Lease | None:
    try:
        return parse_lease(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _write(path: Path, lease: Lease) -> None:
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(lease), file)
    new.replace(path)


def process_start(process: int) -> str:
    """The start time of a process, which tells it from a later one with the same number; empty if it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The name in parentheses may hold blanks.
    return text.rpartition(")")[2].split()[19]


def _locked(held: Lease) -> Locked:
    return Locked(
        f"Another controller works on this node: {held.words}.",
        "Wait for its end. If it is gone for good: proxmox_cluster_lock with state=present and steal=true.",
        {"held_by": held.owner, "since": held.since, "until": held.until},
    )


def set_lease(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """One run of C(proxmox_cluster_lock)."""
    if check_mode:
        held = parse_lease((DIRECTORY / "lease.json").read_text()) if (DIRECTORY / "lease.json").exists() else None
        ours = held is not None and held.valid and held.owner == params["owner"] and not held.process
        return {"changed": ours != (params["state"] == "present")}
    if params["state"] == "present":
        return {"changed": acquire(params["owner"], params["expires"], params["steal"])}
    return {"changed": release(params["owner"])}
