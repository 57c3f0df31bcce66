# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of many guests as lines for a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

DOCUMENTATION = r"""
---
name: guest_table
short_description: The results of many guests as lines for a screen
version_added: 0.1.0
description:
  - One line for each guest with its id, its name, its node, whether it runs, and what differs from its declaration.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
options:
  _input:
    description: RV(baremetal.proxmox.proxmox_qm_vm#module:results) of the module.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ proxmox_vm_result.results | baremetal.proxmox.guest_table }}"
"""

RETURN = r"""
---
_value:
  description: The lines, the first of them a head.
  type: list
  elements: str
"""


def guest_table(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = [("VMID", "NAME", "NODE", "STATUS", "DIFFERS")]
    for label, result in results.items():
        differs = str(result.get("msg") or " ".join(result.get("actions", ())) or "-")
        rows.append(
            (str(result.get("vmid") or "-"), label, str(result.get("node") or "-"), str(result.get("status")), differs)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(row[column].ljust(widths[column]) for column in range(4)), row[4]]) for row in rows]


class FilterModule:
    """Names of the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"guest_table": guest_table}
