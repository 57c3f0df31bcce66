# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""placeholder"""

from __future__ import annotations


class ClusterConnection:
    def __init__(self, status, tree) -> None:
        raise NotImplementedError
