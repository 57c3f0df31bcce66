# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for changing the configuration of a living cluster, and what has to hold before and after. Pure functions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.config_change import (
    ConfigWish,
    change_config,
    new_addresses,
    raise_version,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import (
    CorosyncConfig,
    read_corosync_config,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, StateUnknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.expectation import (
    Expectation,
    unmet_membership,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step


def refuse_unfit_node(now: Classified) -> None:
    if now.state is NodeState.UNKNOWN:
        raise StateUnknown(f"The node's state is unknown. {now.reason}", now.way.forward)
    if now.state not in (NodeState.MEMBER, NodeState.MEMBER_WITHOUT_CERTIFICATE):
        raise Refused(
            f"Only a healthy member can change the cluster's configuration; this node is '{now.state.value}'."
            f" {now.reason}",
            now.way.forward,
        )


def plan_config(text: str, wish: ConfigWish, timeout: int) -> Plan:
    after = change_config(text, wish)
    if after == text:
        return Plan((), text, text)
    change = ways_between(text, after)
    # Higher than the version that is taken back, else nobody would read it.
    last = read_corosync_config(change[-1]).config_version
    way_back = ways_between(change[-1], raise_version(text, last))
    steps: tuple[Step, ...] = (
        Step(
            "guard_config",
            "Keep the way back ready in a unit of its own, should this run be killed.",
            {"change": change, "way_back": way_back, "timeout": timeout},
        ),
    )
    for before, wanted in zip((text, *change), change, strict=False):
        steps += _write_steps(before, wanted, way_back, timeout, is_last=wanted == change[-1])
    return Plan(steps, text, change[-1])


def ways_between(text: str, after: str) -> tuple[str, ...]:
    """The texts to write, one after the other. A running corosync gives no link another address: it goes, and comes back."""
    old, new = read_corosync_config(text), read_corosync_config(after)
    moved = frozenset(
        number
        for node in new.nodes
        for number, address in node.addresses.items()
        if (known := old.node(node.name)) is not None and known.addresses.get(number, address) != address
    )
    if not moved:
        return (after,)
    if not set(old.links) - moved:
        raise Refused(
            f"Corosync cannot give link {', '.join(map(str, sorted(moved)))} another address while it runs, and there is no"
            " other link that would carry the cluster meanwhile.",
            "Add a second link first, then change this one, then remove the second.",
        )
    without = change_config(text, ConfigWish(removed_links=moved))
    return (without, raise_version(after, read_corosync_config(without).config_version))


def _write_steps(expected: str, text: str, way_back: tuple[str, ...], timeout: int, is_last: bool) -> tuple[Step, ...]:
    config = read_corosync_config(text)
    names = ", ".join(sorted(config.names))
    return (
        Step(
            "write_config",
            f"Write corosync.conf with version {config.config_version}"
            + ("." if is_last else ", without the links whose addresses change."),
            {"expected": expected, "text": text},
        ),
        Step(
            "await_config",
            f"Wait until {names} run it and all links are connected; else go back to what was before.",
            {"text": text, "way_back": way_back[-1], "timeout": timeout, "is_last": is_last},
        ),
    )


def refuse_unsafe_change(
    text: str, after: str, snapshot: Snapshot, members: Mapping[str, Reading[Snapshot]], ignore_active_ha: bool
) -> None:
    """All members are there and well, nobody holds a watchdog, and every new address is on its node."""
    before, wanted = read_corosync_config(text), read_corosync_config(after)
    problems = []
    view = view_of(snapshot, "").value
    if view is None or not view.ready:
        problems.append("the cluster is not quorate, or /etc/pve cannot be written")
    elif view.offline():
        problems.append(f"{', '.join(view.offline())} is not online and would keep the old configuration")
    if snapshot.foreign_commands.value:
        problems.append(f"a membership command is running ({'; '.join(snapshot.foreign_commands.value)})")
    for name, reading in sorted(members.items()):
        if reading.value is None:
            problems.append(f"{name} could not be read: {reading.reason}")
        else:
            problems += unmet_configuration(reading.value, before)
    availability = snapshot.high_availability.value
    if not ignore_active_ha and (availability is None or availability.in_use):
        reason = snapshot.high_availability.reason or "its watchdog resets a node whose links are lost"
        problems.append(f"high availability is in use: {reason}")
    problems += _absent_addresses(new_addresses(before, wanted), members)
    if problems:
        raise Refused("; ".join(problems) + ".", "Clear these up first; nothing was changed.")


def unmet_configuration(
    snapshot: Snapshot, config: CorosyncConfig, running_version: int | None = None, links: bool = False
) -> list[str]:
    """What keeps a member from running that configuration. Without C(links) a link may be down, as before the change."""
    name = snapshot.node_name
    written = snapshot.config.value
    if written is None or written.config_version != config.config_version:
        return [f"{name} has version {written.config_version if written else 'unknown'} of corosync.conf"]
    local = snapshot.local_config.value
    if local is None or local.config_version != config.config_version:
        return [f"{name} has version {local.config_version if local else 'unknown'} in /etc/corosync"]
    if running_version is not None and running_version != config.config_version:
        return [f"corosync on {name} runs version {running_version}"]
    if not links:
        return []
    names = frozenset(config.names)
    missing = unmet_membership(snapshot, Expectation(config.cluster_name, names, names, certificate=False))
    return missing + _unmet_addresses(snapshot, config)


def _unmet_addresses(snapshot: Snapshot, config: CorosyncConfig) -> list[str]:
    """A link can be connected over the address that it had before."""
    node, status = config.node(snapshot.node_name), snapshot.links.value
    if node is None or status is None:
        return [f"the links of {snapshot.node_name} could not be read"]
    used = {state.number: state.local_address for state in status.states}
    missing = [
        f"link {number} of {node.name} uses {used[number]}, not {address}"
        for number, address in sorted(node.addresses.items())
        if used.get(number) and used[number] != address
    ]
    gone = sorted(set(used) - set(node.addresses))
    return missing + [f"link {number} of {node.name} is still there" for number in gone]


def _absent_addresses(added: Mapping[str, Mapping[int, str]], members: Mapping[str, Reading[Snapshot]]) -> list[str]:
    problems = []
    for name, links in sorted(added.items()):
        snapshot = members[name].value if name in members else None
        known = snapshot.local_addresses.value if snapshot is not None else None
        if known is None:
            problems.append(f"the addresses of {name} could not be read")
            continue
        local = {ipaddress.ip_address(address) for address in known}
        for number, address in sorted(links.items()):
            if ipaddress.ip_address(address) not in local:
                problems.append(f"the address {address} of link {number} is not configured on {name}")
    return problems
