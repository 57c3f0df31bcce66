# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelope of an agent command's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# QEMU's words for a command that the guest's configuration blocks, and for one that its agent is too old for.
_DISABLED = ("has been disabled", "is disabled", "not allowed")
_UNKNOWN = ("has not been found",)
# While the guest is frozen the agent refuses what could write.
_FROZEN = ("frozen",)


@dataclass(eq=False)
class CommandRefused(Exception):
    """The agent answered, and refused. Proxmox VE passes that on as a success: HTTP 200, exit code 0."""

    error_class: str
    description: str

    def __str__(self) -> str:
        return self.description or self.error_class

    @property
    def disabled(self) -> bool:
        return any(words in self.description for words in _DISABLED) and not self.frozen

    @property
    def frozen(self) -> bool:
        return any(words in self.description for words in _FROZEN)

    @property
    def unknown(self) -> bool:
        """No such command in this agent: too old, or built for another operating system."""
        if any(words in self.description for words in _UNKNOWN):
            return True
        blocked = self.disabled or self.frozen
        return (self.error_class == "CommandNotFound" and not blocked) or self.description == "Unsupported"


def unwrap(answer: Any) -> Any:
    """Take the result out of an answer: C({"result": ...}) of the API, or the bare form that C(qm guest cmd) prints."""
    if isinstance(answer, dict) and set(answer) == {"result"}:
        answer = answer["result"]
    if isinstance(answer, dict) and "error" in answer:
        error = answer["error"]
        if isinstance(error, dict):
            raise CommandRefused(str(error.get("class", "")), str(error.get("desc", "")).strip())
        raise CommandRefused("", str(error).strip())
    return answer
