# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a guest's agent answers, or until it has an address on a card that Proxmox VE gave it.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .._session.errors import Denied, SessionError
from .._session.interface import Session
from .errors import GuestError
from .property_tables import AGENT, NETWORK_CARD
from .state import GuestState

_PAUSE = 1.0
_DEFAULT_TIMEOUT = 120


def wait_for_guest(session: Session, state: GuestState, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if not any(value for name, value in wanted.items() if name != "timeout"):
        return {}
    if not state.is_running:
        raise GuestError("wait_for: the guest does not run.", "Declare state: started.")
    if not AGENT.parse(str(state.config.get("agent", "0"))).get("enabled"):
        raise GuestError("wait_for: the guest has no agent configured.", "Declare agent: {enabled: true}.")
    if "agent" in state.pending:
        raise GuestError(
            "wait_for: the agent's device comes with the next full stop and start.", "Say restart_policy: if_required."
        )
    timeout = int(wanted.get("timeout", _DEFAULT_TIMEOUT))
    base = f"/nodes/{state.node}/qemu/{state.vmid}/agent"
    end = time.monotonic() + timeout
    _poll(end, timeout, "the agent to answer", lambda: session.create(f"{base}/ping") is not None or True)
    found: dict[str, Any] = {"reason": "ok"}
    families = [name for name in ("ip", "ipv4", "ipv6") if wanted.get(name)]
    if families:
        macs = macs_of(state.config)

        def addresses() -> dict[str, Any] | None:
            answer = session.get(f"{base}/network-get-interfaces")
            chosen = choose_addresses(answer.get("result", []), macs)
            enough = all(chosen.get(f"primary_{name}") if name != "ip" else any(chosen.values()) for name in families)
            return chosen if enough else None

        found.update(_poll(end, timeout, f"an address ({', '.join(families)})", addresses))
    if wanted.get("cloud_init"):
        _poll(end, timeout, "cloud-init to finish", lambda: _cloud_init_is_done(session, base))
        found["cloud_init"] = "done"
    return found


def _poll(end: float, timeout: int, what: str, ask: Any) -> Any:
    last = ""
    while True:
        try:
            answer = ask()
            if answer:
                return answer
        except Denied:
            raise
        except SessionError as error:
            last = error.message
        if time.monotonic() > end:
            raise GuestError(f"wait_for: waited {timeout} s for {what}." + (f" Last answer: {last}" if last else ""))
        time.sleep(_PAUSE)


def macs_of(config: Mapping[str, Any]) -> list[str]:
    cards = sorted((key for key in config if re.fullmatch(r"net\d+", key)), key=lambda key: int(key[3:]))
    macs = [NETWORK_CARD.parse(str(config[card])).get("macaddr") for card in cards]
    return [str(mac).lower() for mac in macs if mac]


def choose_addresses(interfaces: Iterable[Mapping[str, Any]], macs: list[str]) -> dict[str, str]:
    """The first global address of each family, cards in Proxmox VE's order; bridges and tunnels inside the guest do not count."""
    by_mac: dict[str, list[str]] = {}
    for interface in interfaces:
        mac = str(interface.get("hardware-address", "")).lower()
        by_mac.setdefault(mac, []).extend(str(entry["ip-address"]) for entry in interface.get("ip-addresses") or [])
    chosen: dict[str, str] = {}
    for mac in macs:
        for text in by_mac.get(mac, []):
            try:
                address = ipaddress.ip_address(text.partition("%")[0])
            except ValueError:
                continue
            if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
                continue
            chosen.setdefault(f"primary_ipv{address.version}", str(address))
    return chosen


def _cloud_init_is_done(session: Session, base: str) -> bool:
    started = session.create(f"{base}/exec", command=["cloud-init", "status"])
    for _attempt in range(20):
        status = session.get(f"{base}/exec-status", pid=started["pid"])
        if status.get("exited"):
            return "status: done" in str(status.get("out-data", "")) or "status: disabled" in str(
                status.get("out-data", "")
            )
        time.sleep(0.2)
    return False
