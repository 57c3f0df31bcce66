# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long something may take on a machine that has other things to do as well."""

from __future__ import annotations

import os


def allow(seconds: float) -> float:
    """What takes so long on an idle machine, stretched by how many processes share each processor now."""
    return seconds * (1 + os.getloadavg()[0] / (os.cpu_count() or 1))
