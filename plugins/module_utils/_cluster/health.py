# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of the cluster as one of its nodes sees it: problems with their weight and what helps.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import CorosyncConfig
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.expectation import (
    Expectation,
    unmet_membership,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of

ERROR, WARNING = "error", "warning"
_HEALTHY_STATES = (NodeState.MEMBER,)
_NEEDED_SERVICES = ("corosync", "pve-cluster", "pvedaemon", "pveproxy")


@dataclass(frozen=True)
class Problem:
    code: str
    severity: str
    node: str
    text: str
    remedy: str


def find_problems(snapshot: Snapshot, now: Classified, expected: Expectation) -> list[Problem]:
    """Everything that is not as it should be. What cannot be read is an error of its own, never silence."""
    problems = []
    here = snapshot.node_name
    if now.state not in _HEALTHY_STATES:
        text = f"{here} is '{now.state.value}'. {now.way.meaning} {now.reason}"
        problems.append(Problem(f"state_{now.state.value}", ERROR, here, text, now.way.forward))
    if snapshot.config.value is None:
        return problems
    told = " ".join(problem.text for problem in problems)
    for text in unmet_membership(snapshot, expected):
        if text not in told:
            problems.append(Problem(*_kind_of(text), here, f"{text}.", _remedy(text)))
    problems += _services(snapshot) + _single_points(snapshot, snapshot.config.value) + _quorum_device(snapshot)
    problems += _traces_of_former_members(snapshot, snapshot.config.value) + _availability(snapshot)
    return problems


def find_refused_logins(here: str, refused: Sequence[Mapping[str, str]]) -> list[Problem]:
    """Migrations, consoles and commands of other nodes need that root logs in from every member to every other."""
    remedy = "Run pvecm updatecerts on both nodes; try it with ssh from one to the other."
    return [
        Problem("ssh_refused", ERROR, here, f"{here} cannot log in to {login['text']}.", remedy) for login in refused
    ]


def healthy(problems: list[Problem]) -> bool:
    return not any(problem.severity == ERROR for problem in problems)


def _kind_of(text: str) -> tuple[str, str]:
    for words, code in (
        ("certificate", "certificate"),
        ("link ", "link_down"),
        ("does not see", "member_offline"),
        ("is not quorate", "no_quorum"),
        ("read-only", "read_only"),
        ("instead of", "unexpected_members"),
        ("in cluster", "other_cluster"),
        ("corosync runs with", "stale_corosync"),
    ):
        if words in text:
            return code, ERROR
    return "unreadable", ERROR


def _remedy(text: str) -> str:
    remedies = {
        "certificate": "Run pvecm updatecerts on the node, then reload pveproxy and pvedaemon.",
        "link_down": "Check the cable, the address and UDP 5405 plus the link's number, in both directions.",
        "member_offline": "Start the node, or look at its corosync (journalctl -u corosync).",
        "no_quorum": "Bring members back until more than half of the votes are there.",
        "read_only": "Bring members back until more than half of the votes are there; if they are, restart pve-cluster.",
        "unexpected_members": "Join the missing nodes, or remove those that should not be there.",
        "stale_corosync": "Restart corosync on the node.",
    }
    return remedies.get(_kind_of(text)[0], "Look at the node: systemctl status corosync pve-cluster.")


def _services(snapshot: Snapshot) -> list[Problem]:
    if snapshot.units.value is None:
        text = f"The services of {snapshot.node_name} could not be read: {snapshot.units.reason}"
        return [Problem("unreadable", ERROR, snapshot.node_name, text, "Look at the node with systemctl.")]
    found = []
    for name in _NEEDED_SERVICES:
        unit = snapshot.unit(f"{name}.service")
        if unit is None or not unit.running:
            state = unit.active if unit else "unknown"
            remedy = f"systemctl start {name}; journalctl -u {name}"
            found.append(Problem("service_down", ERROR, snapshot.node_name, f"{name} is {state}.", remedy))
    corosync = snapshot.unit("corosync.service")
    if corosync is not None and corosync.enabled not in ("enabled", ""):
        text = f"corosync is {corosync.enabled} and will not start with the node."
        found.append(Problem("service_disabled", WARNING, snapshot.node_name, text, "systemctl enable corosync"))
    return found


def _single_points(snapshot: Snapshot, config: CorosyncConfig) -> list[Problem]:
    found = []
    here = snapshot.node_name
    if len(config.nodes) == 2 and config.qdevice_host is None:
        text = "A cluster of two nodes becomes read-only when either is away."
        found.append(Problem("two_nodes", WARNING, here, text, "Add a third node or a quorum device."))
    if len(config.nodes) > 1 and len(config.links) == 1:
        text = "Corosync has a single link; its loss splits the cluster."
        found.append(Problem("single_link", WARNING, here, text, "Give corosync a second link over another network."))
    return found


def _quorum_device(snapshot: Snapshot) -> list[Problem]:
    config, quorum = snapshot.config.value, snapshot.quorum.value
    if config is None or config.qdevice_host is None or quorum is None:
        return []
    own = next((voter for voter in quorum.voters if voter.local), None)
    # The flags are A (alive) or NA, V (votes) or NV, and so on: "A,V,NMW".
    flags = own.qdevice_flags.split(",") if own else []
    if "A" in flags and "V" in flags:
        return []
    text = (
        f"The quorum device {config.qdevice_host} gives {snapshot.node_name} no vote ({','.join(flags) or 'no flags'})."
    )
    return [
        Problem("qdevice", ERROR, snapshot.node_name, text, "Look at corosync-qdevice here and corosync-qnetd there.")
    ]


def _traces_of_former_members(snapshot: Snapshot, config: CorosyncConfig) -> list[Problem]:
    members = {name.lower() for name in config.names}
    former = sorted(name for name in snapshot.node_directories.value or {} if name.lower() not in members)
    return [
        Problem(
            "former_member",
            WARNING,
            snapshot.node_name,
            f"/etc/pve/nodes/{name} belongs to no member.",
            "proxmox_cluster_node with state=absent removes what is left of it.",
        )
        for name in former
    ]


def _availability(snapshot: Snapshot) -> list[Problem]:
    availability, seen = snapshot.high_availability.value, view_of(snapshot, "").value
    if availability is None:
        text = f"The state of high availability could not be read: {snapshot.high_availability.reason}"
        return [Problem("ha_unknown", WARNING, snapshot.node_name, text, "ha-manager status")]
    if not availability.resources or seen is None:
        return []
    lost = sorted(name for name, node in availability.resources.items() if node and node not in seen.online)
    return [
        Problem(
            "ha_node_offline",
            ERROR,
            snapshot.node_name,
            f"HA has {name} on a node that is offline.",
            "ha-manager status",
        )
        for name in lost
    ]
