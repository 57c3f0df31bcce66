# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.filter.agent_table import agent_table

WELL = {
    "vmid": 100,
    "name": "web1",
    "node": "pve1",
    "available": True,
    "reason": "ok",
    "detail": "",
    "remedy": "",
    "primary_ipv4": "192.0.2.11",
    "primary_ipv6": None,
    "version": "10.0.2",
    "os": {"pretty_name": "Debian GNU/Linux 13 (trixie)"},
}
SILENT = {
    **WELL,
    "vmid": 101,
    "name": "",
    "available": False,
    "reason": "vm_stopped",
    "detail": "the virtual machine is off",
    "remedy": "run 'qm start 101' on pve1",
    "primary_ipv4": None,
    "configured_addresses": ["192.0.2.12"],
    "os": None,
}


def test_one_line_for_each_guest_and_what_to_do_below():
    assert agent_table([WELL, SILENT]) == [
        "VMID  NAME  NODE  ADDRESS                  SYSTEM                        AGENT",
        "100   web1  pve1  192.0.2.11               Debian GNU/Linux 13 (trixie)  10.0.2",
        "101   -     pve1  192.0.2.12 (configured)  -                             vm_stopped",
        "",
        "101: the virtual machine is off. What to do: run 'qm start 101' on pve1",
    ]


def test_without_guests_there_is_only_the_head():
    assert agent_table([]) == ["VMID  NAME  NODE  ADDRESS  SYSTEM  AGENT"]
