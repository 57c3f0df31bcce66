# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Proxmox VE's words to an error class: pure functions over one table."""

from __future__ import annotations

from .errors import Failed, SessionError


def classify_text(text: str) -> SessionError:
    return Failed(text)
