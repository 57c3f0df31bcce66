# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host settles which guest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
---
name: guests_of_host
short_description: The guests of a list that one host settles
version_added: 0.1.0
description:
  - A guest belongs to the host that it names as its C(node).
  - The first host also has those that name none, and those that name a node which is no host here.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
positional: host, hosts, defaults
options:
  _input:
    description: The guests, as for O(baremetal.proxmox.proxmox_qm_vm#module:vms).
    type: list
    elements: dict
    required: true
  host:
    description: The host.
    type: str
    required: true
  hosts:
    description: All hosts, in their order.
    type: list
    elements: str
    required: true
  defaults:
    description: The defaults of the guests.
    type: dict
    default: {}
  identity_only:
    description: Whether to leave only name and vmid of each, as for removing it.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Settle the machines of this host
  baremetal.proxmox.proxmox_qm_vm:
    vms: "{{ proxmox_vms | baremetal.proxmox.guests_of_host(inventory_hostname, groups['proxmox_cluster']) }}"
"""

RETURN = r"""
---
_value:
  description: The guests of the host.
  type: list
  elements: dict
"""


def guests_of_host(
    guests: Sequence[Mapping[str, Any]],
    host: str,
    hosts: Sequence[str],
    defaults: Mapping[str, Any] | None = None,
    identity_only: bool = False,
) -> list[dict[str, Any]]:
    chosen = []
    for guest in guests:
        node = guest.get("node") or (defaults or {}).get("node")
        if (node if node in hosts else hosts[0]) == host:
            chosen.append(
                {name: value for name, value in guest.items() if not identity_only or name in ("name", "vmid")}
            )
    return chosen


class FilterModule:
    """Names of the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"guests_of_host": guests_of_host}
