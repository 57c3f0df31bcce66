# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's links as an inventory gives them, for each node: link0 to link7, or a list in cluster_links. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import HIGHEST_LINK


def links_of_variables(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Links as the module proxmox_cluster takes them. Raises ValueError for what is no link.

    C(link0=192.0.2.1) suits an INI inventory; C(link0=192.0.2.1,priority=10) is how Proxmox VE itself writes it.
    """
    links = [
        _link(number, str(variables[f"link{number}"]))
        for number in range(HIGHEST_LINK + 1)
        if variables.get(f"link{number}")
    ]
    for position, entry in enumerate(variables.get("cluster_links") or []):
        if not isinstance(entry, Mapping) or "address" not in entry:
            raise ValueError(f"cluster_links: entry {position} has no 'address': {entry!r}")
        priority = entry.get("priority")
        link = {"number": int(entry.get("number", position)), "address": str(entry["address"])}
        links.append(link if priority is None else {**link, "priority": int(priority)})
    return sorted(links, key=lambda link: link["number"])


def _link(number: int, text: str) -> dict[str, Any]:
    address, *options = text.split(",")
    link: dict[str, Any] = {"number": number, "address": address.removeprefix("address=").strip()}
    for option in options:
        name, _equals, value = option.strip().partition("=")
        if name != "priority" or not value.isdigit():
            raise ValueError(
                f"link{number}: '{option.strip()}' is not known; expected ADDRESS or ADDRESS,priority=0..255"
            )
        link["priority"] = int(value)
    return link
