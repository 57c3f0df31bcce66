# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a guest cannot be made as declared.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations


class GuestError(Exception):
    """Ends the work on one guest; the others go on."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.remedy = remedy


class Refused(GuestError):
    """What was declared would lose or overwrite something, or cannot be done."""


class SourceMissing(Refused):
    """The image or the guest to clone is not there: the whole run ends before anything is created."""
