# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands said about their own work: pvecm exits with 0 on every failed join, its words are the reason.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re

_MOST_LINES = 12
# What goes wrong and what helps; the first that fits is told.
_REMEDIES = (
    (
        r"unable to copy ssh ID|Permission denied \(publickey|Host key verification failed",
        "Let the seed accept this node's /root/.ssh/id_rsa.pub and put the seed's host key into /root/.ssh/known_hosts here.",
    ),
    (r"401 |authentication failure", "Check the root password of the seed; two-factor logins need method=ssh."),
    (r"not verified, abort", "Read the fingerprint on the seed again; somebody may answer in its place."),
    (r"no quorum", "Wait until the seed is quorate and can write, then run again."),
    (r"already contains virtual guests", "Move the guests away from this node first."),
    (r"already exists|already running", "Separate the node first (proxmox_cluster with state=standalone)."),
    (r"can't lock file|cfs-lock", "Another membership change is running; let it end, then run again."),
    (r"not found on local node|cannot use", "Use addresses that are configured on this node."),
    (
        r"waiting for quorum\.\.\.$",
        "The node does not hear the other members: open UDP 5405 and up in both directions on every link, check the MTU.",
    ),
    (r"Can't connect|No route to host|Connection refused|timed out", "Check that the seed is up and reachable."),
)


def last_words(log: str) -> list[str]:
    """The end of the log, without empty lines."""
    return [line.rstrip() for line in log.splitlines() if line.strip()][-_MOST_LINES:]


def remedy_of(log: str) -> str:
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, log.rstrip(), re.MULTILINE):
            return remedy
    return ""


def joined_according_to(log: str, node_name: str) -> bool:
    """PVE's own last line. Not a proof, but its absence after the end of the command tells that the join failed."""
    return f"successfully added node '{node_name}' to cluster." in log


def lock_was_busy(log: str) -> bool:
    return "cfs-lock" in log and "got lock request timeout" in log


def certificate_was_lost(log: str) -> bool:
    """A join that ended in its last step: all that is missing is the certificate, and nothing will make it by itself."""
    return "unable to generate pve certificate" in log
