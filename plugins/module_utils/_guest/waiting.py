# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a guest's agent answers, until it has an address on a card that Proxmox VE gave it, until cloud-init is done.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._agent.addresses import Primary, choose_primary
from .._agent.agent import Agent, AgentError
from .._agent.gather import Wish, look
from .._agent.parse import read_interfaces
from .._session.errors import Denied, SessionError
from .._session.interface import Session
from .errors import GuestError
from .property_tables import CONTAINER_NETWORK
from .state import GuestState

_PAUSE = 1.0
_DEFAULT_TIMEOUT = 120
_RUN_SECONDS = 30


@dataclass(frozen=True)
class Deadline:
    seconds: int
    end: float

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> Deadline:
        seconds = int(wanted.get("timeout", _DEFAULT_TIMEOUT))
        return cls(seconds, time.monotonic() + seconds)

    def wait(self, what: str, last: str, remedy: str = "") -> None:
        """Pause before the next look; raises GuestError when the time is over."""
        if time.monotonic() > self.end:
            raise GuestError(f"wait_for: waited {self.seconds} s for {what}." + (f" {last}" if last else ""), remedy)
        time.sleep(_PAUSE)


def wait_for_guest(session: Session, state: GuestState, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What was found. Causes for which waiting is in vain end it at once, with what to do."""
    if not any(value for name, value in wanted.items() if name != "timeout"):
        return {}
    if not state.is_running:
        raise GuestError("wait_for: the guest does not run.", "Declare state: started.")
    deadline = Deadline.of(wanted)
    families = [name for name in ("ip", "ipv4", "ipv6") if wanted.get(name)]
    if state.kind == "lxc":
        return {"reason": "ok", **_wait_for_container(session, state, families, deadline)}
    found = _wait_for_agent(session, state, families, deadline)
    if wanted.get("cloud_init"):
        _wait_for_cloud_init(Agent(session, state.node, state.vmid), deadline)
        found["cloud_init"] = "done"
    return found


def _wait_for_agent(session: Session, state: GuestState, families: list[str], deadline: Deadline) -> dict[str, Any]:
    what = f"an address ({', '.join(families)})" if families else "the agent to answer"
    wish = Wish(gather=("network",) if families else ())
    while True:
        facts = look(session, state.vmid, state.node, wish)
        diagnosis = facts.diagnosis
        if diagnosis.available and _has(facts.primary, families):
            return {"reason": diagnosis.reason.value, **_shown(facts.primary)}
        if diagnosis.definite and not diagnosis.available:
            raise GuestError(f"wait_for: {diagnosis.reason.value}: {diagnosis.detail}", diagnosis.remedy)
        last = f"Last seen: {diagnosis.reason.value}" + (f", {diagnosis.detail}" if diagnosis.detail else "") + "."
        deadline.wait(what, last, diagnosis.remedy)


def _wait_for_container(session: Session, state: GuestState, families: list[str], deadline: Deadline) -> dict[str, Any]:
    """No agent is needed: the node sees a container's addresses."""
    macs = macs_of(state.config)
    while families:
        last = ""
        try:
            rows = session.get(f"/nodes/{state.node}/lxc/{state.vmid}/interfaces")
            primary = choose_primary(read_interfaces(list(map(_as_agents_say, rows or ()))), macs)
            if _has(primary, families):
                return _shown(primary)
        except Denied:
            raise
        except SessionError as error:
            last = f"Last answer: {error.message}."
        deadline.wait(f"an address ({', '.join(families)})", last)
    return {}


def _as_agents_say(row: Mapping[str, Any]) -> dict[str, Any]:
    """Before Proxmox VE 9 a container's interfaces have been told in other words than a guest agent's."""
    if row.get("ip-addresses") is not None:
        return dict(row)
    addresses = [
        {"ip-address": text.partition("/")[0], "prefix": int(text.partition("/")[2] or 0), "ip-address-type": family}
        for key, family in (("inet", "ipv4"), ("inet6", "ipv6"))
        for text in str(row.get(key) or "").split()
    ]
    return {"name": row.get("name"), "hardware-address": row.get("hwaddr"), "ip-addresses": addresses}


def macs_of(config: Mapping[str, Any]) -> list[str]:
    cards: Iterable[str] = sorted((key for key in config if re.fullmatch(r"net\d+", key)), key=lambda key: int(key[3:]))
    macs = [CONTAINER_NETWORK.parse(str(config[card])).get("hwaddr") for card in cards]
    return [str(mac).lower() for mac in macs if mac]


def _has(primary: Primary, families: list[str]) -> bool:
    there = {"ip": primary.ipv4 or primary.ipv6, "ipv4": primary.ipv4, "ipv6": primary.ipv6}
    return all(there[family] for family in families)


def _shown(primary: Primary) -> dict[str, str]:
    found = {"primary_ipv4": primary.ipv4, "primary_ipv6": primary.ipv6}
    return {name: address for name, address in found.items() if address}


def _wait_for_cloud_init(agent: Agent, deadline: Deadline) -> None:
    while True:
        last = ""
        try:
            told = agent.run(["cloud-init", "status"], timeout=_RUN_SECONDS).stdout.decode(errors="replace")
        except AgentError as error:
            raise GuestError(f"wait_for: cloud-init cannot be asked: {error}") from error
        except Denied:
            raise
        except SessionError as error:
            last, told = f"Last answer: {error.message}.", ""
        if "status: error" in told:
            raise GuestError("wait_for: cloud-init ended with an error.", "Inside: cloud-init status --long")
        if "status: done" in told or "status: disabled" in told:
            return
        deadline.wait("cloud-init to finish", last)
