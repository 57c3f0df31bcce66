# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in to the other members as Proxmox VE itself does it: by its key, and by the host keys pinned in the cluster.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """C(refused) is None where the login worked, else ssh's own last words."""

    name: str
    address: str
    refused: str | None


def try_logins(peers: Iterable[tuple[str, str]], patience: int = 10) -> list[Login]:
    """Log in to every peer (name and address) at once."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(lambda peer: _try_login(peer[0], peer[1], patience), peers))


def _try_login(name: str, address: str, patience: int) -> Login:
    return Login(name, address, run_on_member(name, address, ["true"], patience))


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
