# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that the lab raises for anything a person can act on."""

from __future__ import annotations


class LabError(Exception):
    """Something about the lab does not work; the message says what and, where known, what to do."""
