# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in to the other members as Proxmox VE itself does it: by its key, and by the host keys pinned in the cluster.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import Member, Membership

# sshd drops connections at random while more than ten log in at once (MaxStartups): no node may meet so many.
_AT_ONCE = 4
_DROPPED = ("kex_exchange_identification", "Connection closed by", "Connection reset by")
_DROPPED_PAUSE = 1.0


@dataclass(frozen=True)
class Login:
    """C(refused) is None where the login worked, else ssh's own last words."""

    name: str
    address: str
    refused: str | None


def log_in_everywhere(membership: Membership, patience: int = 10) -> dict[str, Any]:
    """Log in to every other member that is online: names of those that let this node in, and what the others said."""
    logins = try_logins([(member.name, member.address) for member in others_in_turn(membership)], patience)
    return {
        "reached": [login.name for login in logins if login.refused is None],
        "refused": [
            {"name": login.name, "address": login.address, "text": f"{login.name} ({login.address}): {login.refused}"}
            for login in logins
            if login.refused is not None
        ],
        "offline": membership.offline,
    }


def others_in_turn(membership: Membership) -> list[Member]:
    """Those that can be tried. Each node begins with the one after itself, so that not all ask the same one at once."""
    own = membership.members.get(membership.node_name)
    number = own.node_id if own is not None else 0
    others = [m for m in membership.members.values() if m.node_id != number and m.online and m.address]
    return sorted(others, key=lambda member: (member.node_id < number, member.node_id))


def try_logins(peers: Iterable[tuple[str, str]], patience: int = 10) -> list[Login]:
    """Log in to every peer (name and address), some at a time."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(lambda peer: _try_login(peer[0], peer[1], patience), peers))


def _try_login(name: str, address: str, patience: int) -> Login:
    refused = run_on_member(name, address, ["true"], patience)
    if refused is not None and refused.startswith(_DROPPED):
        time.sleep(_DROPPED_PAUSE)
        refused = run_on_member(name, address, ["true"], patience)
    return Login(name, address, refused)


def run_on_member(name: str, address: str, argv: Sequence[str], patience: int) -> str | None:
    """None where the command ended with 0, else its or ssh's own last words."""
    # The options of PVE::SSHInfo. Nothing is learned on the way: an unknown or changed host key is a refusal.
    options = [
        "BatchMode=yes",
        f"HostKeyAlias={name}",
        f"UserKnownHostsFile=/etc/pve/nodes/{name}/ssh_known_hosts",
        "GlobalKnownHostsFile=none",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        f"ConnectTimeout={patience}",
    ]
    command = ["ssh", "-e", "none", *[word for option in options for word in ("-o", option)]]
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            [*command, f"root@{address}", shlex.join(argv)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience + 15,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {patience + 15} seconds"
    if done.returncode == 0:
        return None
    words = done.stderr.strip().splitlines()
    return words[-1] if words else f"exit code {done.returncode}"
