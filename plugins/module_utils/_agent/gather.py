# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at one guest through a session: climb the ladder of the diagnosis, then ask the agent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._session.errors import AnswerLost, Denied, NotFound, SessionError, Unreachable
from .._session.interface import Session
from .addresses import Network, Primary, choose_primary
from .answers import CommandRefused, unwrap
from .device import AgentDevice, read_device_tree
from .diagnosis import BOOT_TIME, Diagnosis, Observation, diagnose
from .guest_config import read_pending
from .parse import (
    READERS,
    Interface,
    UnexpectedAnswer,
    describe_interfaces,
    read_fsfreeze_status,
    read_info,
    read_interfaces,
)
from .port_ping import ping_port
from .trouble import AgentFailure, Trouble, classify_failure

NOWHERE = Primary(None, None)


@dataclass(frozen=True)
class Wish:
    """What the user wants to know, and how long to wait for it."""

    gather: Sequence[str]
    networks: Sequence[Network] = ()
    excluded: Sequence[str] = ()
    require: str = "ping"
    wait: bool = False
    timeout: float = 60
    delay: float = 2
    boot_time: int = BOOT_TIME


@dataclass
class Facts:
    """What one look at one guest has brought."""

    observation: Observation
    diagnosis: Diagnosis
    told: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    primary: Primary = NOWHERE

    def satisfies(self, require: str) -> bool:
        if not self.diagnosis.available:
            return False
        return require == "ping" or getattr(self.primary, require) is not None


def wait_for_facts(
    session: Session,
    vmid: int,
    node: str,
    wish: Wish,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Facts:
    """Look until the wish is fulfilled, until waiting is in vain, or until the time is over."""
    end = clock() + (wish.timeout if wish.wait else 0)
    while True:
        facts = look(session, vmid, node, wish)
        in_vain = facts.diagnosis.definite and not facts.diagnosis.available
        left = end - clock()
        if facts.satisfies(wish.require) or in_vain or left <= 0:
            return facts
        sleep(min(wish.delay, left))


def look(session: Session, vmid: int, node: str, wish: Wish) -> Facts:
    seen = _look_from_outside(session, vmid, node, wish.boot_time)
    diagnosis = diagnose(seen, wish.boot_time)
    if diagnosis is not None:
        return Facts(_with_release(session, seen), diagnose(_with_release(session, seen), wish.boot_time) or diagnosis)
    base = f"/nodes/{node}/qemu/{vmid}"
    seen = _ping(session, seen, base)
    if seen.ping:
        return _ask(session, seen, wish, base)
    seen = _with_release(session, seen)
    found = diagnose(seen, wish.boot_time)
    if found is None:
        raise AssertionError
    return Facts(seen, found)


def _ping(session: Session, seen: Observation, base: str) -> Observation:
    answered = ping_port(seen.vmid) if session.node == seen.node else None
    if answered is not None:
        return replace(seen, ping=answered)
    try:
        unwrap(session.create(f"{base}/agent/ping"))
    except CommandRefused:
        pass  # whoever refuses is awake
    except SessionError as error:
        return replace(seen, ping=False, failure=failure_of(error))
    return replace(seen, ping=True)


def _look_from_outside(session: Session, vmid: int, node: str, boot_time: int) -> Observation:
    """All that Proxmox VE knows without the agent."""
    seen = Observation(vmid, node, user=session.user)
    base = f"/nodes/{node}/qemu/{vmid}"
    try:
        seen = replace(seen, config=read_pending(session.get(f"{base}/pending")))
        status: Mapping[str, Any] = session.get(f"{base}/status/current")
    except SessionError as error:
        failure = failure_of(error)
        if failure.kind is Trouble.OTHER and seen.config is None:
            raise  # neither the guest nor its agent: nothing that a diagnosis could name
        return replace(seen, failure=failure)
    seen = replace(
        seen,
        status=str(status.get("status", "")),
        qmpstatus=str(status.get("qmpstatus", "")) or None,
        uptime=int(status["uptime"]) if status.get("uptime") is not None else None,
        lock=status.get("lock"),
    )
    if diagnose(seen, boot_time) is not None:
        return seen
    seen = replace(seen, device=_device(session, base, seen.config.running.type if seen.config else "virtio"))
    if seen.device is not None and (not seen.device.present or seen.device.listening is False):
        # Nobody can answer: a ping would only cost its three seconds.
        seen = replace(seen, ping=False)
    return seen


def _device(session: Session, base: str, kind: str) -> AgentDevice | None:
    """The agent's port as QEMU sees it; not everybody may ask the monitor, and it too may be silent."""
    try:
        tree = str(session.create(f"{base}/monitor", command="info qtree") or "")
    except SessionError:
        return None
    return read_device_tree(tree, kind) if "dev: " in tree else None


def failure_of(error: SessionError) -> AgentFailure:
    text = error.message
    if isinstance(error, Denied):
        return AgentFailure(Trouble.DENIED, text, error.privileges)
    found = classify_failure(text, error.status)
    if found.kind is not Trouble.OTHER:
        return found
    if isinstance(error, NotFound):
        return AgentFailure(Trouble.NO_GUEST, text)
    # 596: pveproxy itself is there, and stumbles for example over what the guest said.
    if isinstance(error, (Unreachable, AnswerLost)) and error.status in (None, 595):
        return AgentFailure(Trouble.NODE_OFFLINE, text)
    return found


def _with_release(session: Session, seen: Observation) -> Observation:
    """Only the words about missing privileges depend on the release."""
    if seen.failure is None or seen.failure.kind is not Trouble.DENIED:
        return seen
    try:
        return replace(seen, major_version=session.version().major)
    except SessionError:
        return seen


def _ask(session: Session, seen: Observation, wish: Wish, base: str) -> Facts:
    """Ask an agent that answers. After the first command that got no answer in time nothing more is asked."""
    errors: dict[str, str] = {}
    told: dict[str, Any] = {}
    refused: list[str] = []
    interfaces: list[Interface] = []

    def ask(command: str, reader: Callable[[Any], Any], method: str = "GET") -> Any:
        nonlocal seen
        if seen.failure is not None:
            return None
        try:
            return reader(unwrap(session.call(method, f"{base}/agent/{command}", {})))
        except CommandRefused as error:
            errors[command] = str(error)
            if error.disabled:
                refused.append(command)
        except UnexpectedAnswer as error:
            errors[command] = str(error)
        except SessionError as error:
            errors[command] = error.message
            failure = failure_of(error)
            if failure.kind is not Trouble.OTHER:
                # An agent that has fallen silent since the ping gets the diagnosis of a silent one.
                seen = replace(seen, failure=failure, ping=failure.kind is not Trouble.NO_ANSWER)
        return None

    status = ask("fsfreeze-status", read_fsfreeze_status, "POST")
    # Who may not see this may still see the rest: the privilege is another one.
    if status is None and seen.failure is not None and seen.failure.kind is Trouble.DENIED:
        seen = replace(seen, failure=None)
    seen = replace(seen, fsfreeze=status)
    if "fsfreeze" in wish.gather:
        told["fsfreeze_status"] = status
    else:
        refused.clear()
        errors.pop("fsfreeze-status", None)
    if "info" in wish.gather:
        info = ask("info", read_info)
        if info is not None:
            told["version"] = info.version
            told["commands"] = {"enabled": list(info.enabled), "disabled": list(info.disabled)}
    if status != "frozen":  # all but these two commands are refused then
        if "network" in wish.gather or wish.require in ("ipv4", "ipv6"):
            interfaces = ask("network-get-interfaces", read_interfaces) or []
            told["interfaces"] = describe_interfaces(interfaces)
        for name, (command, reader) in READERS.items():
            if name in wish.gather:
                value = ask(command, reader)
                if value is not None:
                    told[name] = value
    seen = _with_release(session, replace(seen, disabled_commands=tuple(refused)))
    diagnosis = diagnose(seen, wish.boot_time)
    if diagnosis is None or seen.config is None:
        raise AssertionError
    primary = choose_primary(interfaces, seen.config.macs, wish.networks, wish.excluded)
    return Facts(seen, diagnosis, told, errors, primary)
