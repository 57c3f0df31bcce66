# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps things on the host, and how its kernel objects are named."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import LabError

PREFIX = "pl-"  # namespaces, machines and mounts of all labs start with it; "lab down" finds them by it
EMULATION = Path(__file__).resolve().parent.parent / "emulation"
GUESTS = Path(__file__).resolve().parent.parent / "guests"
NETNS_DIRECTORY = Path("/run/netns")

# No dash in a lab's name: "pl-LAB-NODE" must be read in one way only, and node names have dashes.
LAB_NAME = re.compile(r"[a-z0-9]{1,20}")


def cache_directory() -> Path:
    """Finished root file systems; safe to delete when no lab is up."""
    return Path(os.environ.get("PRACTICE_CACHE", "/var/cache/practice-nodes"))


def state_directory() -> Path:
    """One directory per lab: its description and the nodes' writable layers."""
    return Path(os.environ.get("PRACTICE_STATE", "/var/lib/practice-nodes"))


def checked_lab_name(name: str) -> str:
    if not LAB_NAME.fullmatch(name):
        raise LabError(f"lab name {name!r}: use 1 to 20 lower-case letters and digits")
    return name


def lab_namespace(lab: str) -> str:
    """The controller namespace of a lab: its bridges, and the programs of "lab exec"."""
    return f"{PREFIX}{lab}"


def node_identifier(lab: str, node: str) -> str:
    """Name of a node's network namespace, machine and overlay mount."""
    return f"{PREFIX}{lab}-{node}"


def lab_of_identifier(identifier: str) -> str | None:
    """Which lab a namespace, machine or mount belongs to; None: not ours."""
    if not identifier.startswith(PREFIX):
        return None
    lab = identifier.removeprefix(PREFIX).split("-", 1)[0]
    return lab if LAB_NAME.fullmatch(lab) else None
