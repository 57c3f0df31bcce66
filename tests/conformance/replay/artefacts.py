# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a recording is owed to the lab it was made in, not to Proxmox; NOTES.md beside the recordings lists it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Artefact:
    """Lines that only the recording lab's containers print; they are taken out on both sides."""

    name: str
    reason: str
    pattern: re.Pattern[str]


ARTEFACTS: tuple[Artefact, ...] = (
    Artefact(
        "memory-stat", "the recording lab had no memory cgroup", re.compile(r"(?m)^unable to get memory stat.*\n?")
    ),
    Artefact(
        "device-mapper",
        "the recording lab had no device mapper",
        re.compile(
            r"(?m)^ *(/dev/mapper/control: open failed.*|Failure to communicate with kernel device-mapper driver\."
            r"|Check that device-mapper is available in the kernel\.|Incompatible libdevmapper.*)\n?"
        ),
    ),
    Artefact(
        "volume-groups",
        "without a device mapper LVM's scan fails",
        re.compile(r"(?m)^command '/sbin/vgscan --ignorelockingfailure --mknodes' failed: exit code 5\n\n?"),
    ),
    Artefact(
        "half-started-container",
        "Debian's lxc in the recording lab",
        re.compile(r"(?m)^short read on command socket.*\n?"),
    ),
)


def remove_artefacts(text: str) -> str:
    """The text without what only the recording lab prints."""
    for artefact in ARTEFACTS:
        text = artefact.pattern.sub("", text)
    return text


def is_empty_reply(curl_exit: object, status_line: object) -> bool:
    """An unpatched RSA library made the recorded pveproxy drop some connections: such a file shows nothing of PVE."""
    return str(curl_exit or "0") != "0" or status_line == ""
