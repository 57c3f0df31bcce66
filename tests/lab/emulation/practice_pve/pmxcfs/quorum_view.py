# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PVE's tools find out whether the cluster is writable: the owner's w bit of /etc/pve/local.

The kernel keeps attributes for a second, so this answer lags behind the daemon's own. That is wanted.
"""

from __future__ import annotations

import os


def is_quorate() -> bool:
    try:
        return bool(os.lstat("/etc/pve/local").st_mode & 0o200)
    except OSError:
        return False
