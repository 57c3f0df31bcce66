# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_preflight): read the node and answer the probes of the others, or probe the others.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.collect import collect
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.run import run
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.probing import (
    probe_peers,
    start_responder,
    token_of,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.reading import read_node


def read_or_probe(params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
    token = token_of(params["token"] or "")
    if params["peers"] is None:
        facts = read_node()
        if params["token"]:
            own = [
                address
                for address in interface_sizes(facts["addresses"].get("value"))
                if not address.startswith(("127.", "::1", "fe80:"))
            ]
            start_responder(own, token, params["answer_for"])
        return {"changed": False, "collected": collect(), "facts": facts}
    sizes = interface_sizes(run(["ip", "-json", "address", "show"], 20).stdout)
    own_links = {int(number): (address, sizes.get(address, 1500)) for number, address in params["links"].items()}
    return {"changed": False, "probes": probe_peers(params["peers"], own_links, token)}


def interface_sizes(addresses_json: str | None) -> dict[str, int]:
    """The MTU of the interface that carries an address."""
    return {
        entry["local"]: int(interface["mtu"])
        for interface in json.loads(addresses_json or "[]")
        for entry in interface.get("addr_info", [])
        if "local" in entry
    }
