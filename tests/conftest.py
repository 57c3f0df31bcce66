# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make `ansible_collections.baremetal.proxmox` mean this checkout, for every test below."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

ROOT = Path(__file__).resolve().parents[1]
LINK = ROOT / "build" / "link" / "ansible_collections" / "baremetal" / "proxmox"

if not LINK.is_symlink():
    LINK.parent.mkdir(parents=True, exist_ok=True)
    try:
        LINK.symlink_to(ROOT)
    except FileExistsError:  # another worker was faster
        pass
init_plugin_loader([str(ROOT / "build" / "link")])
