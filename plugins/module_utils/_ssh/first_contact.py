# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first contact of the controller with a host: is its host key known, unknown, or not the one it was? Pure.

This file is private to the collection and may change without notice.

The answer comes from ssh itself, asked to log in without any means of doing so: all of the user's SSH configuration
(jump hosts, aliases, ports, other known_hosts files) holds for the question as it does for the real login, and no secret
leaves the controller before the host key is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import PublicKey

# No authentication method at all: the answer to a known host is "Permission denied", and nothing was offered to it.
PROBE_OPTIONS = (
    "-o", "BatchMode=yes",
    "-o", "PreferredAuthentications=none",
    "-o", "ControlMaster=no",
    "-o", "ControlPath=none",
    "-o", "ConnectTimeout=10",
    "-o", "LogLevel=ERROR",
)  # fmt: skip


class Contact(Enum):
    """What the host's answer means."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    UNREACHABLE = "unreachable"


def judge_contact(stderr: str) -> Contact:
    """Read the words of an ssh that was asked with C(StrictHostKeyChecking=yes)."""
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in stderr or "differs from the key for the IP" in stderr:
        return Contact.CHANGED
    if (
        "host key is known for" in stderr
    ):  # "No ED25519 host key is known for pve1 and you have requested strict checking."
        return Contact.UNKNOWN
    if "Permission denied" in stderr or "No more authentication methods" in stderr:
        return Contact.KNOWN
    return Contact.UNREACHABLE


@dataclass(frozen=True)
class Destination:
    """Where ssh would really connect to, and where it would look for the host key: from C(ssh -G)."""

    host: str
    port: int
    name: str  # as it stands in known_hosts
    known_hosts_file: str


def parse_destination(text: str) -> Destination:
    """Read the output of C(ssh -G)."""
    options: dict[str, str] = {}
    for line in text.splitlines():
        name, _separator, value = line.partition(" ")
        options.setdefault(name, value)
    host = options["hostname"]
    port = int(options.get("port", "22"))
    alias = options.get("hostkeyalias")
    name = alias or (host if port == 22 else f"[{host}]:{port}")
    return Destination(host, port, name, options.get("userknownhostsfile", "~/.ssh/known_hosts").split()[0])


_FINGERPRINT = re.compile(r"^SHA256:[A-Za-z0-9+/]{43}$")


def check_fingerprint(served: Sequence[PublicKey], expected: str) -> str | None:
    """None if one of the keys that the host serves has the expected fingerprint, else what is wrong."""
    if not _FINGERPRINT.match(expected):
        return (
            f"'{expected}' is not a host key fingerprint; run 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' on the console "
            "of the node and take its second field, which starts with SHA256:"
        )
    fingerprints = [key.fingerprint for key in served]
    if expected in fingerprints:
        return None
    return f"it serves {', '.join(fingerprints) or 'no key'}, not {expected}"
