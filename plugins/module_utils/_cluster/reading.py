# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that was read, known to be absent, or unknown for a stated reason.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

Value = TypeVar("Value")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Reading(Generic[Value]):
    """C(value) is None and C(reason) empty: known to be absent. C(reason) given: unknown, and why."""

    value: Value | None = None
    reason: str = ""

    @property
    def known(self) -> bool:
        return not self.reason

    @property
    def absent(self) -> bool:
        return self.known and self.value is None

    @property
    def present(self) -> bool:
        return self.known and self.value is not None

    def parsed(self, parse: Callable[[Value], Other]) -> Reading[Other]:
        """The same reading as something else; text that cannot be parsed is unknown, not absent."""
        if self.value is None:
            return Reading(None, self.reason)
        try:
            return Reading(parse(self.value))
        except UnreadableText as error:
            return Reading(None, error.message)


def unknown(reason: str) -> Reading[Value]:
    return Reading(None, reason or "no reason given")
