# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxmox VE's error texts about agents, as kinds of trouble."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Trouble(Enum):
    """What an error text proves by itself."""

    NOT_CONFIGURED = "the guest has no agent line"
    NOT_RUNNING = "the virtual machine is off"
    NO_ANSWER = "no answer to a ping: Proxmox VE has this one text for many causes"
    TIMEOUT = "the agent took a command and did not answer in time"
    NO_GUEST = "there is no such guest on that node"
    DENIED = "a privilege is missing"
    NODE_OFFLINE = "the node cannot be reached"
    OTHER = "something else"


@dataclass(frozen=True)
class AgentFailure:
    kind: Trouble
    text: str
    privileges: tuple[str, ...] = ()


def classify_failure(text: str, status: int | None = None, privileges: tuple[str, ...] = ()) -> AgentFailure:
    """Proxmox VE answers 500 for nearly everything, so that only the text tells the causes apart."""
    text = text.strip()
    lower = text.lower()
    if status == 403 or "permission check failed" in lower:
        kind = Trouble.DENIED
    elif "no qemu guest agent configured" in lower:
        kind = Trouble.NOT_CONFIGURED
    elif "qemu guest agent is not running" in lower:
        kind = Trouble.NO_ANSWER
    elif lower.startswith("vm ") and "not running" in lower:
        kind = Trouble.NOT_RUNNING
    elif "got timeout" in lower and ("qga command" in lower or "qmp command" in lower):
        kind = Trouble.TIMEOUT
    elif "configuration file" in lower and "does not exist" in lower:
        kind = Trouble.NO_GUEST
    elif status == 595 or "no route to host" in lower or "hostname lookup" in lower:
        kind = Trouble.NODE_OFFLINE
    else:
        kind = Trouble.OTHER
    return AgentFailure(kind, text, privileges)
