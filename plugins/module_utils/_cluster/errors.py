# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of the cluster lifecycle, each with what a person can do about it.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations


class ClusterError(Exception):
    """Something prevents the work. The message says what was seen, C(remedy) what to do."""

    def __init__(self, message: str, remedy: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details: dict[str, object] = details or {}

    def __str__(self) -> str:
        return f"{self.message} Remedy: {self.remedy}" if self.remedy else self.message

    def as_failure(self) -> dict[str, object]:
        """As the result of a module."""
        own = {"failed": True, "msg": str(self), "remedy": self.remedy, "error": type(self).__name__}
        return {**self.details, **own}


class UnreadableText(ClusterError):
    """The output of a program or a file does not have the form it should have."""


class Refused(ClusterError):
    """The plan would break something or rests on a guess; nothing was done."""


class StateUnknown(Refused):
    """The state could not be read, and unknown is never taken for a fact."""


class Locked(ClusterError):
    """Another controller works on this node."""


class StepFailed(ClusterError):
    """A step ran and the state read back says that it did not do its work."""


class Unreachable(ClusterError):
    """No member could be reached, or none that is quorate and writable."""
