# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of the module guest_agent_facts: find the guests, look at them side by side, put the results together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .._session.errors import Exists, Invalid, NotFound, SessionError
from .._session.interface import Session
from .diagnosis import Diagnosis, Observation, diagnose
from .gather import Facts, Wish, wait_for_facts
from .trouble import AgentFailure, Trouble


@dataclass(frozen=True)
class Guest:
    """A guest that was asked for; without a node there is none of that name or number."""

    vmid: int
    name: str = ""
    node: str | None = None
    absence: str = ""
    node_is_off: bool = False
    hidden: bool = False  # there is one, but this user is not shown it


def find_guests(session: Session, params: Mapping[str, Any]) -> list[Guest]:
    """The guests that the options name, in the order of their numbers."""
    rows: list[dict[str, Any]] = session.get("/cluster/resources")
    off = {str(row["node"]) for row in rows if row.get("type") == "node" and row.get("status") == "offline"}
    there = {
        int(row["vmid"]): row for row in rows if row.get("type") in ("qemu", "lxc") and row.get("vmid") is not None
    }
    wanted_node = params["node"]

    def guest(vmid: int) -> Guest:
        row = there.get(vmid)
        if row is None:
            return _absent(session, vmid)
        if row["type"] == "lxc":
            return Guest(vmid, str(row.get("name", "")), absence=f"{vmid} is a container: those have no agent")
        if wanted_node and row["node"] != wanted_node:
            return Guest(vmid, str(row.get("name", "")), absence=f"{vmid} is on {row['node']}, not on {wanted_node}")
        return Guest(vmid, str(row.get("name", "")), str(row["node"]), node_is_off=str(row["node"]) in off)

    if params["all"]:
        return [
            guest(vmid)
            for vmid, row in sorted(there.items())
            if row["type"] == "qemu" and not int(row.get("template") or 0) and wanted_node in (None, row["node"])
        ]
    if params["name"] is not None:
        nodes = {str(row["node"]) for row in rows if row.get("type") == "node"} - off
        return [guest(_find_by_name(session, params["name"], there, [wanted_node] if wanted_node else sorted(nodes)))]
    vmids = [params["vmid"]] if params["vmid"] is not None else params["vmids"]
    return [guest(vmid) for vmid in sorted(set(vmids))]


def _absent(session: Session, vmid: int) -> Guest:
    """The overview leaves out what the user may not see; whether a number is taken is told to everybody."""
    if session.user != "root@pam":
        try:
            session.get("/cluster/nextid", vmid=vmid)
        except (Exists, Invalid):
            return Guest(vmid, absence=f"{session.user} may not see {vmid}", hidden=True)
    return Guest(vmid, absence=f"there is no virtual machine {vmid} in the cluster")


def _find_by_name(session: Session, name: str, there: Mapping[int, Mapping[str, Any]], nodes: Iterable[str]) -> int:
    """The cluster's overview does not know the name of a guest that was made seconds ago; its node does."""
    matches = {vmid for vmid, row in there.items() if row.get("name") == name and row["type"] == "qemu"}
    if any(row["type"] == "qemu" and not row.get("name") for row in there.values()) or not matches:
        for node in nodes:
            rows = session.get(f"/nodes/{node}/qemu")
            matches |= {int(row["vmid"]) for row in rows if row.get("name") == name}
    if not matches:
        raise NotFound(f"there is no virtual machine named {name}")
    if len(matches) > 1:
        numbers = ", ".join(map(str, sorted(matches)))
        raise NotFound(f"more than one virtual machine is named {name}: {numbers}", "name it by its vmid")
    return matches.pop()


def read_guests(
    session: Session,
    guests: list[Guest],
    wish: Wish,
    max_parallel: int,
    look: Callable[[Session, int, str, Wish], Facts] = wait_for_facts,
) -> list[dict[str, Any]]:
    """Look at all guests, at most C(max_parallel) at a time. What goes wrong with one stays with that one."""

    def read(guest: Guest) -> dict[str, Any]:
        facts = _without_looking(guest, session.user)
        if facts is None:
            if guest.node is None:
                raise AssertionError
            try:
                facts = look(session, guest.vmid, guest.node, wish)
            except SessionError as error:
                return _unknown(guest, error)
        return describe(guest, facts, wish)

    with ThreadPoolExecutor(max_workers=max(1, min(max_parallel, len(guests) or 1))) as pool:
        return list(pool.map(read, guests))


def _without_looking(guest: Guest, user: str) -> Facts | None:
    if guest.node is not None and not guest.node_is_off:
        return None
    if guest.node_is_off:
        failure = AgentFailure(Trouble.NODE_OFFLINE, f"the node {guest.node} is offline")
    else:
        failure = AgentFailure(Trouble.DENIED if guest.hidden else Trouble.NO_GUEST, guest.absence)
    seen = Observation(guest.vmid, guest.node, failure=failure, user=user)
    diagnosis = diagnose(seen)
    if not isinstance(diagnosis, Diagnosis):
        raise AssertionError
    return Facts(seen, diagnosis)


def _unknown(guest: Guest, error: SessionError) -> dict[str, Any]:
    return {
        "vmid": guest.vmid,
        "name": guest.name,
        "node": guest.node,
        "available": False,
        "satisfied": False,
        "reason": "unknown",
        "detail": error.message,
        "remedy": error.remedy,
        "primary_ipv4": None,
        "primary_ipv6": None,
        "configured_addresses": [],
        "macs": [],
        "errors": {},
    }


def describe(guest: Guest, facts: Facts, wish: Wish) -> dict[str, Any]:
    config = facts.observation.config
    return {
        "vmid": guest.vmid,
        "name": config.name if config and config.name else guest.name,
        "node": guest.node,
        "available": facts.diagnosis.available,
        "satisfied": facts.satisfies(wish.require),
        "reason": facts.diagnosis.reason.value,
        "detail": facts.diagnosis.detail,
        "remedy": facts.diagnosis.remedy,
        "primary_ipv4": facts.primary.ipv4,
        "primary_ipv6": facts.primary.ipv6,
        "configured_addresses": list(config.addresses) if config else [],
        "macs": list(config.macs) if config else [],
        "errors": facts.errors,
        **facts.told,
    }
