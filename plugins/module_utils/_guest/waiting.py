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
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._session.errors import Denied, SessionError
from .._session.interface import Session
from .errors import GuestError
from .property_tables import AGENT, CONTAINER_NETWORK, NETWORK_CARD
from .state import GuestState

_PAUSE = 1.0
_DEFAULT_TIMEOUT = 120


def wait_for_guest(session: Session, state: GuestState, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if not any(value for name, value in wanted.items() if name != "timeout"):
        return {}
    if not state.is_running:
        raise GuestError("wait_for: the guest does not run.", "Declare state: started.")
    if state.kind == "lxc":
        return _wait_for_container(session, state, wanted)
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

    def interfaces() -> Any:
        return session.get(f"{base}/network-get-interfaces").get("result", [])

    found.update(_wait_for_addresses(state, wanted, end, timeout, interfaces))
    if wanted.get("cloud_init"):
        _poll(end, timeout, "cloud-init to finish", lambda: _cloud_init_is_done(session, base))
        found["cloud_init"] = "done"
    return found


def _wait_for_container(session: Session, state: GuestState, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """No agent is needed: the host sees a container's addresses."""
    timeout = int(wanted.get("timeout", _DEFAULT_TIMEOUT))

    def interfaces() -> Any:
        return session.get(f"/nodes/{state.node}/lxc/{state.vmid}/interfaces")

    return {"reason": "ok", **_wait_for_addresses(state, wanted, time.monotonic() + timeout, timeout, interfaces)}


def _wait_for_addresses(
    state: GuestState, wanted: Mapping[str, Any], end: float, timeout: int, interfaces: Callable[[], Any]
) -> dict[str, Any]:
    families = [name for name in ("ip", "ipv4", "ipv6") if wanted.get(name)]
    if not families:
        return {}
    macs = macs_of(state)

    def addresses() -> dict[str, Any] | None:
        chosen = choose_addresses(interfaces(), macs)
        enough = all(chosen.get(f"primary_{name}") if name != "ip" else any(chosen.values()) for name in families)
        return chosen if enough else None

    found: dict[str, Any] = _poll(end, timeout, f"an address ({', '.join(families)})", addresses)
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


def macs_of(state: GuestState) -> list[str]:
    codec, address = (CONTAINER_NETWORK, "hwaddr") if state.kind == "lxc" else (NETWORK_CARD, "macaddr")
    cards = sorted((key for key in state.config if re.fullmatch(r"net\d+", key)), key=lambda key: int(key[3:]))
    macs = [codec.parse(str(state.config[card])).get(address) for card in cards]
    return [str(mac).lower() for mac in macs if mac]


def choose_addresses(interfaces: Iterable[Mapping[str, Any]], macs: list[str]) -> dict[str, str]:
    """The first global address of each family, cards in Proxmox VE's order; bridges and tunnels inside the guest do not count."""
    by_mac: dict[str, list[str]] = {}
    for interface in interfaces:
        # Containers' interfaces have been answered with other names before Proxmox VE 9.
        mac = str(interface.get("hardware-address") or interface.get("hwaddr") or "").lower()
        texts = [str(entry["ip-address"]) for entry in interface.get("ip-addresses") or []]
        texts += [str(interface[name]).partition("/")[0] for name in ("inet", "inet6") if interface.get(name)]
        by_mac.setdefault(mac, []).extend(texts)
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
            text = str(status.get("out-data", ""))
            if "status: error" in text:
                raise GuestError("wait_for: cloud-init ended with an error.", "Inside: cloud-init status --long")
            return "status: done" in text or "status: disabled" in text
        time.sleep(0.2)
    return False
