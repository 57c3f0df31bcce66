# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an agent is silent: from what was observed to a reason, the words for it, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Optional

from .device import AgentDevice
from .guest_config import GuestConfig
from .remedies import remedy_of
from .trouble import AgentFailure, Trouble

#: A guest that has run for less than this is taken to be still starting.
BOOT_TIME = 180

_ASLEEP = (
    "paused",
    "suspended",
    "prelaunch",
    "io-error",
    "internal-error",
    "guest-panicked",
    "postmigrate",
    "inmigrate",
)


class Reason(Enum):
    OK = "ok"
    AGENT_DISABLED = "agent_disabled"
    RESTART_REQUIRED = "restart_required"
    VM_STOPPED = "vm_stopped"
    VM_PAUSED = "vm_paused"
    DEVICE_MISSING = "device_missing"
    BOOTING = "booting"
    NOT_LISTENING = "not_listening"
    HUNG_OR_BUSY = "hung_or_busy"
    FROZEN = "frozen"
    COMMAND_DISABLED = "command_disabled"
    PERMISSION_DENIED = "permission_denied"
    VM_NOT_FOUND = "vm_not_found"
    NODE_OFFLINE = "node_offline"


#: These end by themselves, or may: it is worth waiting. All others need somebody to do something.
TRANSIENT = frozenset({Reason.BOOTING, Reason.HUNG_OR_BUSY, Reason.FROZEN, Reason.NODE_OFFLINE})


@dataclass(frozen=True)
class Observation:
    """What is known of one guest. None means: not looked at, or not told."""

    vmid: int
    node: str | None = None
    config: GuestConfig | None = None
    status: str | None = None  # running or stopped
    qmpstatus: str | None = None
    uptime: int | None = None
    lock: str | None = None
    ping: bool | None = None
    failure: AgentFailure | None = None  # of the call that failed, whichever it was
    device: AgentDevice | None = None
    fsfreeze: str | None = None
    disabled_commands: tuple[str, ...] = ()  # wanted, and refused by the guest's own filter
    user: str = ""
    major_version: int = 9


@dataclass(frozen=True)
class Diagnosis:
    reason: Reason
    detail: str = ""
    remedy: str = ""
    definite: bool = True  # waiting alone does not help

    @property
    def available(self) -> bool:
        return self.reason in (Reason.OK, Reason.COMMAND_DISABLED)


def diagnose(seen: Observation, boot_time: int = BOOT_TIME) -> Diagnosis | None:
    """The first step of the ladder that explains what was seen; None when all that was looked at is well, but no ping yet."""
    for step in _LADDER:
        found = step(seen, boot_time)
        if found is not None:
            reason, detail, certain = found
            return Diagnosis(
                reason,
                detail,
                "" if reason is Reason.OK else remedy_of(reason.value, seen),
                definite=certain and reason not in TRANSIENT,
            )
    return None


# A step's answer: the reason, what it was recognised by, and whether that leaves no doubt.
Finding = Optional[tuple[Reason, str, bool]]  # noqa: UP045  # pylint takes | for an operation here


def _out_of_reach(seen: Observation, _boot_time: int) -> Finding:
    if seen.failure is None:
        return None
    reasons = {
        Trouble.NO_GUEST: Reason.VM_NOT_FOUND,
        Trouble.NODE_OFFLINE: Reason.NODE_OFFLINE,
        Trouble.DENIED: Reason.PERMISSION_DENIED,
    }
    reason = reasons.get(seen.failure.kind)
    return None if reason is None else (reason, seen.failure.text, True)


def _configuration(seen: Observation, _boot_time: int) -> Finding:
    not_configured = seen.failure is not None and seen.failure.kind is Trouble.NOT_CONFIGURED
    if seen.config is None:
        return (Reason.AGENT_DISABLED, "the guest's configuration has no agent line", True) if not_configured else None
    if seen.config.running.enabled and not not_configured:
        return None
    if seen.config.planned.enabled:
        if seen.status == "stopped":
            return None
        return Reason.RESTART_REQUIRED, "the agent is enabled, but only from the next full stop and start on", True
    how = "is switched off" if seen.config.running.present else "has never been switched on"
    return Reason.AGENT_DISABLED, f"the guest's option agent {how}", True


def _power(seen: Observation, _boot_time: int) -> Finding:
    if seen.status == "stopped" or (seen.failure is not None and seen.failure.kind is Trouble.NOT_RUNNING):
        return Reason.VM_STOPPED, "the virtual machine is off", True
    if seen.qmpstatus in _ASLEEP:
        return Reason.VM_PAUSED, f"the virtual machine does not execute: {seen.qmpstatus}", True
    return None


def _silence(seen: Observation, boot_time: int) -> Finding:
    if seen.ping is not False:
        return None
    young = seen.uptime is not None and seen.uptime < boot_time
    since = f"{seen.uptime} s after the start" if seen.uptime is not None else "now"
    if seen.device is not None and not seen.device.present:
        return Reason.DEVICE_MISSING, "the running virtual machine has no port for the agent", True
    if seen.device is not None and seen.device.listening:
        words = seen.failure.text if seen.failure else "no answer to a ping"
        return Reason.HUNG_OR_BUSY, f"a program in the guest has opened the port and does not answer: {words}", True
    if seen.failure is not None and seen.failure.kind is Trouble.TIMEOUT:
        return Reason.HUNG_OR_BUSY, seen.failure.text, True
    # Without the port's state (no right to see it, or a serial port) silence alone does not tell not listening from hung.
    told = seen.device is not None and seen.device.listening is not None
    doubt = "" if told else "; whether a program has opened the port could not be seen"
    if young:
        return Reason.BOOTING, f"nothing in the guest has opened the port yet, {since}{doubt}", told
    return Reason.NOT_LISTENING, f"nothing in the guest has opened the port, {since}{doubt}", told


def _answering(seen: Observation, _boot_time: int) -> Finding:
    if seen.ping is None:
        return None
    if seen.fsfreeze == "frozen":
        why = f" (the guest is locked: {seen.lock})" if seen.lock else ""
        return Reason.FROZEN, f"the guest's file systems are frozen{why}", True
    if seen.failure is not None and seen.failure.kind is Trouble.TIMEOUT:
        return Reason.HUNG_OR_BUSY, seen.failure.text, True
    if seen.disabled_commands:
        return Reason.COMMAND_DISABLED, f"the guest refuses {', '.join(seen.disabled_commands)}", True
    return Reason.OK, "", True


_LADDER: tuple[Callable[[Observation, int], Finding], ...] = (
    _out_of_reach,
    _configuration,
    _power,
    _silence,
    _answering,
)
