# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What guest agents tell as lines for a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
---
name: agent_table
short_description: What guest agents tell as lines for a screen
version_added: 0.1.0
description:
  - One line for each guest with its number, name, node, address, operating system and the agent's version, or why the agent is silent.
  - Below the table stands for each reason what to do.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
options:
  _input:
    description: RV(baremetal.proxmox.guest_agent_facts#module:guests) of the module.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Show all guests
  ansible.builtin.debug:
    msg: "{{ guest_agent_result.guests | baremetal.proxmox.agent_table }}"
"""

RETURN = r"""
---
_value:
  description: The lines, the first of them a head.
  type: list
  elements: str
"""

_HEAD = ("VMID", "NAME", "NODE", "ADDRESS", "SYSTEM", "AGENT")


def agent_table(guests: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [_HEAD, *map(_row, guests)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    silent = [guest for guest in guests if not guest["available"]]
    if silent:
        lines.append("")
    return [*lines, *(f"{guest['vmid']}: {guest['detail']}. What to do: {guest['remedy'] or '-'}" for guest in silent)]


def _row(guest: Mapping[str, Any]) -> tuple[str, ...]:
    system = guest.get("os") or {}
    told = guest["primary_ipv4"] or guest["primary_ipv6"]
    configured = guest.get("configured_addresses") or []
    # What cloud-init was told may be wrong by now, and says so.
    address = told or (f"{configured[0]} (configured)" if configured else "-")
    agent = guest["reason"] if guest["reason"] != "ok" else guest.get("version") or "ok"
    return (
        str(guest["vmid"]),
        guest["name"] or "-",
        guest["node"] or "-",
        address,
        system.get("pretty_name") or system.get("name") or "-",
        agent,
    )


class FilterModule:
    """Names of the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"agent_table": agent_table}
