# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes show together: who founds the cluster or is it already, who joins, and what does not fit between them. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import LONGEST_CLUSTER_NAME
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.findings import Finding, error, warning
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_node import is_member
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.subject import Subject
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import find_keys

_NODE_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?")


@dataclass(frozen=True)
class Decision:
    """Who does what: inventory names. C(seeds) are members through which others can join, the inventory's primary first."""

    founder: str | None
    seeds: tuple[str, ...]
    joiners: tuple[str, ...]


def decide(subjects: Sequence[Subject]) -> Decision:
    """Any live quorate member serves as a seed; only where there is no cluster yet does the primary found one."""
    ordered = sorted(subjects, key=lambda subject: not subject.wish.is_primary)
    # A cluster that has just been made and is not quorate yet is the founder's to finish.
    started = (NodeState.CREATED_NOT_QUORATE, NodeState.CREATING)
    finishing = [subject.host for subject in ordered if subject.classified.state in started]
    seeds = [subject.host for subject in ordered if is_member(subject)]
    founder = None
    if not seeds:
        founder = next((host for host in [*finishing, *[s.host for s in ordered if s.wish.is_primary]]), None)
    joiners = [subject.host for subject in ordered if subject.host not in seeds and subject.host != founder]
    return Decision(founder, tuple(seeds), tuple(joiners))


def judge_cluster(
    subjects: Sequence[Subject], silent: Mapping[str, str], cluster_name: str, decision: Decision
) -> list[Finding]:
    """Findings across nodes. C(silent): hosts that gave no answer, and why."""
    findings = [
        error(
            "unreachable",
            host,
            f"The node did not answer: {reason}",
            "Check power, address and SSH login, or take it out of the inventory.",
        )
        for host, reason in sorted(silent.items())
    ]
    findings += _cluster_name(cluster_name)
    for check in (_versions, _names, _membership, _addresses, _links, _host_keys, _firewall, _two_nodes):
        findings += check(subjects, decision)
    return findings


def _cluster_name(name: str) -> Iterator[Finding]:
    if not _NODE_NAME.fullmatch(name):
        text = f"The cluster name '{name}' is not valid: letters, digits and dashes, no dash at either end."
        yield error("cluster_name", "", text, "Correct cluster_name in the inventory.")
    if len(name) > LONGEST_CLUSTER_NAME:
        text = f"The cluster name '{name}' has {len(name)} characters; {LONGEST_CLUSTER_NAME} are allowed."
        yield error("cluster_name", "", text, "Choose a shorter cluster_name; it cannot be changed later.")


def _versions(subjects: Sequence[Subject], _decision: Decision) -> Iterator[Finding]:
    versions: dict[tuple[int, int], list[str]] = defaultdict(list)
    for subject in subjects:
        if subject.version is not None:
            versions[subject.version].append(subject.host)
    told = "; ".join(f"{major}.{minor} on {', '.join(hosts)}" for (major, minor), hosts in sorted(versions.items()))
    if len({major for major, _minor in versions}) > 1:
        text = f"The nodes run different major versions of Proxmox VE: {told}."
        yield error("mixed_majors", "", text, "Upgrade all nodes to the same major version before they form a cluster.")
    elif len(versions) > 1:
        text = f"The nodes run different minor versions of Proxmox VE: {told}."
        yield warning(
            "mixed_minors",
            "",
            text,
            "Upgrade the older ones; mixed versions are meant for the time of an upgrade only.",
        )


def _names(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    """Joining over SSH, Proxmox VE replaces a member of the same name without a word."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        hosts[subject.node_name.lower()].append(subject.host)
    for name, same in sorted(hosts.items()):
        if len(same) > 1:
            text = f"{' and '.join(same)} both call themselves '{name}'."
            for host in same[1:]:
                yield error(
                    "duplicate_name",
                    host,
                    text,
                    "Give the empty one another host name (hostnamectl, /etc/hosts) and reboot it.",
                )
    addresses = {subject.node_name.lower(): set(subject.snapshot.local_addresses.value or []) for subject in subjects}
    for seed in (subject for subject in subjects if subject.host in decision.seeds):
        config = seed.snapshot.config.value
        for joiner in (subject for subject in subjects if subject.host in decision.joiners):
            member = config.node(joiner.node_name) if config is not None else None
            if member is None or set(member.addresses.values()) & addresses[joiner.node_name.lower()]:
                continue
            text = f"The cluster has a member '{member.name}' with another address ({', '.join(member.addresses.values())})."
            remedy = (
                "If that node is gone for good, remove it first (make remove-node); else give this one another name."
            )
            yield error("duplicate_name", joiner.host, text, remedy)
        return


def _membership(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    """More than one cluster of the wanted name, or members that do not see each other, must not be taken for one."""
    seeds = [subject for subject in subjects if subject.host in decision.seeds]
    for subject in seeds[1:]:
        config, first = subject.snapshot.config.value, seeds[0].snapshot.config.value
        if config is None or first is None or config.node(seeds[0].node_name) is not None:
            continue
        text = f"{subject.host} and {seeds[0].host} are in two different clusters of the same name."
        yield error(
            "split", subject.host, text, "Take one of them back to standalone nodes first (make destroy-cluster)."
        )
    if decision.founder is None and not decision.seeds and subjects:
        text = "No node is a quorate member of the cluster, and none is named to found it."
        yield error(
            "no_primary",
            "",
            text,
            "Put one node into the group proxmox_cluster_primary, or bring a member back to quorum.",
        )


def _addresses(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    users: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        for address in set(subject.link_addresses.values()):
            users[address].append(subject.host)
    members = {
        address: node.name
        for subject in subjects
        if subject.host in decision.seeds and subject.snapshot.config.value is not None
        for node in subject.snapshot.config.value.nodes
        for address in node.addresses.values()
    }
    names = {subject.host: subject.node_name.lower() for subject in subjects}
    for address, hosts in sorted(users.items()):
        if len(hosts) > 1:
            text = f"{' and '.join(hosts)} would use the same address {address} in the cluster network."
            yield error(
                "duplicate_address",
                hosts[-1],
                text,
                "Give each node its own address (link0=... in the inventory, or its /etc/hosts).",
            )
        for host in hosts:
            if host in decision.joiners and members.get(address, "").lower() not in ("", names[host]):
                text = f"The address {address} belongs to the member {members[address]} already."
                yield error("duplicate_address", host, text, "Give the node an address of its own.")


def _links(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    """Every node needs an address on exactly the links that the cluster has."""
    reference = next((s for s in subjects if s.host in decision.seeds or s.host == decision.founder), None)
    if reference is None:
        return
    expected = sorted(reference.link_addresses)
    for subject in subjects:
        numbers = sorted(subject.link_addresses)
        if subject.host in decision.joiners and numbers and expected and numbers != expected:
            text = f"The node has links {numbers}, the cluster (as {reference.host} has it) has {expected}."
            yield error(
                "links", subject.host, text, "Give it link0=..., link1=... for exactly these links in the inventory."
            )


def _host_keys(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    """A member that was installed anew has other host keys than those by which the cluster knows it."""
    by_name = {subject.node_name: subject for subject in subjects}
    seed = next((subject for subject in subjects if subject.host in decision.seeds), None)
    pinned = seed.reading("pinned_host_keys").value or {} if seed is not None else {}
    for name, text in sorted(pinned.items()):
        subject = by_name.get(name)
        if subject is None:
            continue
        served = {(key.type, key.blob) for key in find_keys("\n".join(subject.reading("host_keys").value or []))}
        known = {(key.type, key.blob) for key in find_keys(text)}
        if served and known and not served & known:
            message = f"The cluster knows '{name}' by another SSH host key; the node was probably installed anew."
            if subject.host in decision.joiners:
                yield warning(
                    "host_key_changed",
                    subject.host,
                    message,
                    "The join puts the new key in place. Nothing to do if you installed it anew.",
                )
            else:
                yield error(
                    "host_key_changed",
                    subject.host,
                    message,
                    f"Run 'pvecm updatecerts' on {subject.host} if its keys were changed on purpose.",
                )


def _firewall(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    """A joiner gets the cluster's firewall rules at the moment of its join, and may shut the controller out."""
    seed = next((subject for subject in subjects if subject.host in decision.seeds), None)
    firewall = seed.reading("firewall").value if seed is not None else None
    if firewall and firewall["enabled"] and not firewall["has_management_set"] and decision.joiners:
        text = "The cluster's firewall is on and has no IP set 'management'; a node that joins may become unreachable from here."
        yield warning(
            "firewall",
            "",
            text,
            "Add the controller's network to an IP set 'management' (Datacenter, Firewall, IPSet) first.",
        )


def _two_nodes(subjects: Sequence[Subject], decision: Decision) -> Iterator[Finding]:
    if len(subjects) == 2:
        seed = next((subject for subject in subjects if subject.host in decision.seeds), None)
        config = seed.snapshot.config.value if seed is not None else None
        if config is None or (config.qdevice_host is None and len(config.nodes) <= 2):
            text = "With two nodes, the loss of one stops the other (no quorum)."
            yield warning(
                "two_nodes", "", text, "Add a third node or a quorum device (role proxmox_qdevice) afterwards."
            )
