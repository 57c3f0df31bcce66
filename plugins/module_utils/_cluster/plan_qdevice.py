# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a quorum device: a vote from a host outside the cluster. Pure functions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step

SERVICE = "corosync-qdevice.service"


@dataclass(frozen=True)
class DeviceWish:
    present: bool
    address: str = ""
    allow_odd: bool = False
    # Members that are known for certain to be switched off or outside.
    accounted_for: tuple[str, ...] = ()
    timeout: int = 180


def plan_qdevice(
    wish: DeviceWish, view: ClusterView, members: Mapping[str, Reading[Snapshot]], store_is_left: bool
) -> Plan:
    """C(store_is_left): this node has certificates of a device that an interrupted setup or removal has left."""
    config = view.config
    before = describe(config.qdevice_host, config)
    running = sorted(name for name, reading in members.items() if reading.value and reading.value.active(SERVICE))
    if not wish.present:
        return Plan(_removal_steps(wish, view, running), before, describe(None, config))
    after = describe(wish.address, config)
    if config.qdevice_host is not None and _same(config.qdevice_host, wish.address):
        return Plan(_repair_steps(wish, view, members, running), before, after)
    _refuse_setup(wish, view, members)
    steps: tuple[Step, ...] = ()
    if config.qdevice_host is not None or running:
        steps += _removal_steps(wish, view, running)
    elif store_is_left:
        steps += (_clean_step(view),)
    argv = ["pvecm", "qdevice", "setup", wish.address, *(["--force"] if _odd(config) else [])]
    setup = Step(
        "run_pvecm",
        f"Set up {wish.address} as quorum device of {', '.join(sorted(config.names))}.",
        {"argv": argv, "timeout": wish.timeout},
    )
    return Plan((*steps, setup, _await_present(wish)), before, after, _advice(wish, config))


def describe(host: str | None, config: CorosyncConfig) -> dict[str, object]:
    return {"qdevice": host, "node_votes": sum(node.votes for node in config.nodes)}


def unmet_present(snapshot: Snapshot, address: str) -> list[str]:
    """What keeps a member from having the device's vote."""
    name, config, quorum = snapshot.node_name, snapshot.config.value, snapshot.quorum.value
    if config is None or quorum is None:
        return [f"{name}: {snapshot.config.reason or snapshot.quorum.reason or 'it is in no cluster'}"]
    if config.qdevice_host is None or not _same(config.qdevice_host, address):
        return [f"{name} has {config.qdevice_host or 'no quorum device'} in corosync.conf"]
    missing = []
    if not snapshot.active(SERVICE):
        missing.append(f"corosync-qdevice does not run on {name}")
    own = next((voter for voter in quorum.voters if voter.local), None)
    flags = own.qdevice_flags.split(",") if own else []
    if "A" not in flags:
        missing.append(f"{name} has no connection to the device")
    elif "V" not in flags:
        missing.append(f"the device does not vote for {name}")
    if quorum.expected_votes != config.expected_votes:
        missing.append(f"{name} expects {quorum.expected_votes} votes of {config.expected_votes}")
    if not quorum.quorate:
        missing.append(f"{name} is not quorate")
    return missing


def unmet_absent(snapshot: Snapshot, votes: int | None = None) -> list[str]:
    """C(votes): what the cluster was told to expect, where that is not what the configuration says."""
    name, config, quorum = snapshot.node_name, snapshot.config.value, snapshot.quorum.value
    if config is None or quorum is None:
        return [f"{name}: {snapshot.config.reason or snapshot.quorum.reason or 'it is in no cluster'}"]
    missing = []
    if config.qdevice_host is not None:
        missing.append(f"{name} still has {config.qdevice_host} in corosync.conf")
    if snapshot.active(SERVICE):
        missing.append(f"corosync-qdevice still runs on {name}")
    if quorum.qdevice_present or quorum.expected_votes not in (config.expected_votes, votes):
        missing.append(f"{name} still expects {quorum.expected_votes} votes")
    if not quorum.quorate:
        missing.append(f"{name} is not quorate")
    return missing


def _refuse_setup(wish: DeviceWish, view: ClusterView, members: Mapping[str, Reading[Snapshot]]) -> None:
    config = view.config
    problems = []
    if not view.ready:
        problems.append("the cluster is not quorate, or /etc/pve cannot be written")
    if view.offline():
        problems.append(f"{', '.join(view.offline())} is not online, and every member needs the device's certificate")
    if view.busy:
        problems.append(f"a membership command is running ({'; '.join(view.busy)})")
    if _odd(config) and not wish.allow_odd:
        problems.append(
            f"the cluster has {len(config.nodes)} members: an odd number survives without a device, and with one the loss of"
            " the device can cost more than it gives; set odd_members=allow to set it up nevertheless"
        )
    if config.users_of_address(wish.address):
        problems.append(f"{wish.address} is an address of {', '.join(config.users_of_address(wish.address))}")
    for name, reading in sorted(members.items()):
        if reading.value is None:
            problems.append(f"{name} could not be read: {reading.reason}")
            continue
        unit = reading.value.unit(SERVICE)
        if unit is None or unit.load == "not-found":
            problems.append(f"corosync-qdevice is not installed on {name} (apt install corosync-qdevice)")
    if problems:
        raise Refused("; ".join(problems) + ".", "Clear these up first; nothing was changed.")


def _removal_steps(wish: DeviceWish, view: ClusterView, running: list[str]) -> tuple[Step, ...]:
    config = view.config
    if config.qdevice_host is None and not running:
        return ()
    if view.offline() and not view.quorate:
        raise Refused("The cluster is not quorate, so nothing can be removed.", "Bring members back first.")
    halt = Step(
        "stop_device",
        "Stop corosync-qdevice on the online members and remove its certificates.",
        {"names": sorted(view.online)},
    )
    if config.qdevice_host is None:
        return (halt, _await_absent(wish))
    if not view.offline():
        remove = Step(
            "run_pvecm",
            f"Remove the quorum device {config.qdevice_host}.",
            {"argv": ["pvecm", "qdevice", "remove"], "timeout": wish.timeout},
        )
        return (remove, _await_absent(wish))
    # pvecm wants all members online; a cluster that lost one for good could never get rid of the device.
    drop = Step("drop_device", f"Take the quorum device {config.qdevice_host} out of corosync.conf.")
    votes = _votes_to_expect(wish, view)
    if votes is None:
        return (drop, halt, _await_absent(wish))
    expect = Step("expect_votes", f"Expect {votes} vote(s): every absent member is accounted for.", {"votes": votes})
    return (drop, halt, expect, _await_absent(wish, votes))


def _await_absent(wish: DeviceWish, votes: int | None = None) -> Step:
    summary = "Wait until every online member counts the nodes' votes alone."
    return Step("await_absent", summary, {"votes": votes, "timeout": wish.timeout})


def _votes_to_expect(wish: DeviceWish, view: ClusterView) -> int | None:
    """None if the members that are online have the quorum without the device, too."""
    total = sum(node.votes for node in view.config.nodes)
    left = sum(node.votes for node in view.config.nodes if node.name in view.online)
    if left * 2 > total:
        return None
    unproven = sorted(set(view.offline()) - set(wish.accounted_for))
    if unproven:
        raise Refused(
            f"Without the quorum device only {left} of {total} votes would be there, and the cluster would lose its quorum.",
            f"Bring {', '.join(unproven)} back first, or switch off what is gone for good and name it in accounted_for.",
        )
    return left


def _repair_steps(
    wish: DeviceWish, view: ClusterView, members: Mapping[str, Reading[Snapshot]], running: list[str]
) -> tuple[Step, ...]:
    """The file is as wished; a member may lack the service where a setup was interrupted."""
    known = {name: reading.value for name, reading in members.items() if reading.value is not None}
    if not [text for snapshot in known.values() for text in unmet_present(snapshot, wish.address)]:
        return ()
    idle = sorted(set(view.online) - set(running))
    start = Step("start_device", f"Start corosync-qdevice on {', '.join(idle)}.", {"names": idle})
    return (*((start,) if idle else ()), _await_present(wish))


def _await_present(wish: DeviceWish) -> Step:
    return Step(
        "await_present",
        f"Wait until {wish.address} votes for every member.",
        {"address": wish.address, "timeout": wish.timeout},
    )


def _clean_step(view: ClusterView) -> Step:
    summary = "Remove the certificates that an interrupted setup has left."
    return Step("stop_device", summary, {"names": sorted(view.online)})


def _advice(wish: DeviceWish, config: CorosyncConfig) -> tuple[str, ...]:
    if not _odd(config):
        return ()
    votes = max(sum(node.votes for node in config.nodes) - 1, 0)
    return (
        f"With {len(config.nodes)} members the device {wish.address} gets {votes} votes; without it nearly all members are needed.",
    )


def _odd(config: CorosyncConfig) -> bool:
    return len(config.nodes) % 2 == 1


def _same(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one == other
