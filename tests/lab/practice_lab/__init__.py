# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Practice nodes: containers that look like freshly installed Proxmox VE nodes.

``from practice_lab import Lab`` is the Python face of the command ``lab``::

    with Lab("demo") as lab:
        lab.up(["pve1", "pve2"])
        print(lab.node("pve1").run(["hostname"]).stdout)
"""

from __future__ import annotations

from .completed import Completed
from .errors import LabError
from .lab import Lab
from .spec import LabSpec, NodeSpec

__all__ = ["Completed", "Lab", "LabError", "LabSpec", "NodeSpec"]
