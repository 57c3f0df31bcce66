# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declared value: always with the key's name.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations


class InvalidValue(ValueError):
    """A value that a key cannot have; the key's name is put in front on the way up."""

    def __init__(self, reason: str, key: str = "") -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{key}: {reason}" if key else reason)

    def below(self, key: str) -> InvalidValue:
        return InvalidValue(self.reason, f"{key}.{self.key}" if self.key else key)
