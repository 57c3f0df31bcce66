# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: each can be put on a running node and taken away again.

A fault is a class with a name, one line of help, its parameters, apply() and heal(). What heal() needs to know is
returned by apply() and kept in the lab's faults.json until then.
"""

from __future__ import annotations

from . import access, clock, daemons, delay, disk, leftovers, names, proxmox, traffic
from .base import Fault, Parameter

__all__ = ["FAULTS", "Fault", "Parameter"]

_MODULES = (traffic, delay, daemons, access, names, clock, leftovers, proxmox, disk)
FAULTS: dict[str, Fault] = {fault.name: fault for module in _MODULES for fault in module.FAULTS}
