# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pvecm mtunnel`: the line on which a migration's two sides keep each other alive."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from practice_pve.cluster.addresses import local_addresses_in
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError, NotEmulated


def run_tunnel(parameters: Mapping[str, Any]) -> None:
    if not client.is_quorate():
        print("no quorum")
        return
    if parameters.get("get_migration_ip"):
        if parameters.get("run-command"):
            raise ApiError("cannot use --run-command with --get_migration_ip\n")
        address = _migration_address(parameters.get("migration_network"))
        print(f"ip: '{address}'" if address else "no ip")
        return
    if parameters.get("run-command"):
        raise NotEmulated("pvecm mtunnel --run-command")
    print("tunnel online", flush=True)
    for line in sys.stdin:
        if line.rstrip("\n") == "quit":
            break


def _migration_address(network: str | None) -> str | None:
    network = network or _configured_network(client.read("datacenter.cfg") or "")
    if network is None:
        return None
    found = local_addresses_in(network)
    if not found:
        raise ApiError(f"could not get migration ip: no IP address configured on local node for network '{network}'\n")
    if len(set(found)) > 1:
        raise ApiError(
            f"could not get migration ip: multiple, different, IP address configured for network '{network}'\n"
        )
    return found[0]


def _configured_network(datacenter: str) -> str | None:
    match = re.search(r"^migration:.*\bnetwork=([^,\s]+)", datacenter, re.MULTILINE)
    return match.group(1) if match else None
