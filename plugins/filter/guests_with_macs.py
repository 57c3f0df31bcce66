# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guests have one of these MAC addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
---
name: guests_with_macs
short_description: The numbers of the guests that have one of some MAC addresses
version_added: 0.1.0
description:
  - Finds a virtual machine by what can be read inside it.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
positional: text
options:
  _input:
    description: RV(baremetal.proxmox.guest_agent_facts#module:guests) of the module.
    type: list
    elements: dict
    required: true
  text:
    description: A text with MAC addresses in it.
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Which of the guests is this?
  ansible.builtin.debug:
    msg: "{{ guest_agent_result.guests | baremetal.proxmox.guests_with_macs('bc:24:11:00:00:01') }}"
"""

RETURN = r"""
---
_value:
  description: The numbers, in the order of the guests.
  type: list
  elements: int
"""

_MAC = re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")


def guests_with_macs(guests: Sequence[Mapping[str, Any]], text: str) -> list[int]:
    wanted = set(_MAC.findall(text.lower().replace("-", ":"))) - {"00:00:00:00:00:00"}
    return [guest["vmid"] for guest in guests if wanted.intersection(guest.get("macs") or ())]


class FilterModule:
    """Names of the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"guests_with_macs": guests_with_macs}
