# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back of a change of corosync.conf, kept ready in a unit of its own until the change was seen working.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.command_words import last_words
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.guard_script import (
    DIRECTORY,
    GO_BACK,
    LOCKED,
    NEW,
    OLD,
    guard_script,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import UNIT_OF_OPERATION
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import transient
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import process_start
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Member
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.run import run

_OPERATION = "config"
# Writing, asking every member, and writing again; a member that is gone costs some seconds of its own.
_GO_BACK_SECONDS = 300


def is_pending() -> bool:
    """Whether a change was begun here that nobody has seen working and nobody has taken back yet."""
    return Path(f"{OLD}1").exists()


def arm(change: Sequence[str], way_back: Sequence[str], members: Mapping[str, Member], seconds: int) -> None:
    """To be called before the change is written. Both are texts that are written one after the other."""
    Path(DIRECTORY).mkdir(mode=0o700, parents=True, exist_ok=True)
    for prefix, texts in ((NEW, change), (OLD, way_back)):
        for number, text in enumerate(texts, start=1):
            Path(f"{prefix}{number}").write_text(text, encoding="utf-8")
    _start(members, seconds + _GO_BACK_SECONDS)


def disarm() -> None:
    """The change works, or it was never written."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    run(["systemctl", "stop", UNIT_OF_OPERATION[_OPERATION]], 30)


def note_lock() -> None:
    if is_pending():
        Path(LOCKED).touch()


def forget_lock() -> None:
    Path(LOCKED).unlink(missing_ok=True)


def go_back(members: Mapping[str, Member]) -> str:
    """Let the unit take the change back; empty, or what it said when it could not."""
    Path(GO_BACK).touch()
    if not transient.state(_OPERATION).busy and is_pending():
        # The node was switched off, or the unit has failed before.
        _start(members, _GO_BACK_SECONDS)
    transient.await_end(_OPERATION, _GO_BACK_SECONDS)
    return " | ".join(last_words(transient.read_log(_OPERATION))) if is_pending() else ""


def _start(members: Mapping[str, Member], seconds: int) -> None:
    logins = {name: member.login for name, member in members.items()}
    script = guard_script(os.getpid(), process_start(os.getpid()), logins)
    transient.start(_OPERATION, ["/bin/sh", "-c", script], seconds)
