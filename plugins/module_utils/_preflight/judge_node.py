# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one node by itself shows to be in the way of a cluster. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.findings import (
    Finding,
    error,
    unknown,
    warning,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.subject import Subject, is_loopback

SUPPORTED_MAJORS = (8, 9)
LEAST_FREE = 50 * 1024 * 1024
# States from which the lifecycle goes on by itself; they are told, but they stop nothing.
RESUMABLE = {
    NodeState.STANDALONE_LEFTOVERS,
    NodeState.SEPARATED_STALE_NODES,
    NodeState.CREATED_NOT_QUORATE,
    NodeState.CREATING,
    NodeState.JOINING,
    NodeState.MEMBER_NOT_WRITABLE,
    NodeState.MEMBER_WITHOUT_CERTIFICATE,
    NodeState.MEMBER_STALE_COROSYNC,
    NodeState.MEMBER_WAITING_FOR_JOINER,
    NodeState.JOIN_INTERRUPTED_FILES_WRITTEN,
    NodeState.JOIN_INTERRUPTED_DATABASE_DELETED,
    NodeState.JOIN_INTERRUPTED_WAITING_QUORUM,
    NodeState.ADDED_NOT_JOINED,
    NodeState.REMOVED_NOT_SEPARATED,
    NodeState.SEPARATION_INTERRUPTED,
    NodeState.LEAVING,
}
MEMBER_STATES = {
    NodeState.MEMBER,
    NodeState.MEMBER_NOT_WRITABLE,
    NodeState.MEMBER_WITHOUT_CERTIFICATE,
    NodeState.MEMBER_STALE_COROSYNC,
    NodeState.MEMBER_WAITING_FOR_JOINER,
}


def is_member(subject: Subject) -> bool:
    return subject.classified.state in MEMBER_STATES


def judge_node(subject: Subject, is_founder: bool) -> list[Finding]:
    """All findings of one node. The founder creates the cluster and keeps its /etc/pve; every other node gets the cluster's."""
    if subject.facts.get("user_id") != 0:
        text = f"The login is not root (user id {subject.facts.get('user_id')})."
        return [
            error("not_root", subject.host, text, "Set ansible_user=root, or ansible_become=true for a user with sudo.")
        ]
    if subject.version is None:
        return list(_no_proxmox(subject))
    checks: list[Callable[[Subject], Iterator[Finding]]] = [
        _version, _state, _own_name, _ssh, _clock, _space, _packages, _high_availability, _link_addresses,
    ]  # fmt: skip
    if not is_founder:
        checks += [_guests, _losses, _root_key]
    return [finding for check in checks for finding in check(subject)]


def _no_proxmox(subject: Subject) -> Iterator[Finding]:
    reading = subject.reading("version")
    if reading.known and reading.value is None:
        text = "Proxmox VE is not installed (there is no pveversion)."
        yield error(
            "no_proxmox", subject.host, text, "Install Proxmox VE on this host, or take it out of the inventory."
        )
    else:
        reason = reading.reason or f"unexpected answer {str(reading.value)[:60]!r}"
        yield unknown("no_proxmox", subject.host, "The version of Proxmox VE", reason)


def _version(subject: Subject) -> Iterator[Finding]:
    major = subject.version[0] if subject.version else 0
    if major not in SUPPORTED_MAJORS:
        text = f"Proxmox VE {major} is not supported."
        yield error("version", subject.host, text, f"Upgrade it to one of {', '.join(map(str, SUPPORTED_MAJORS))}.")


def _state(subject: Subject) -> Iterator[Finding]:
    state, way = subject.classified.state, subject.classified.way
    if state is NodeState.UNKNOWN:
        yield unknown("unknown_state", subject.host, "The node's cluster state", subject.classified.reason)
    elif state is NodeState.OTHER_CLUSTER:
        yield error("other_cluster", subject.host, subject.classified.reason, way.forward)
    elif state is NodeState.MEMBER_NOT_QUORATE:
        yield error(
            "no_quorum", subject.host, f"The node is a member without quorum. {subject.classified.reason}", way.forward
        )
    elif state in RESUMABLE:
        code = (
            "leftovers" if state in (NodeState.STANDALONE_LEFTOVERS, NodeState.SEPARATED_STALE_NODES) else "unfinished"
        )
        yield warning(code, subject.host, f"{way.meaning} {subject.classified.reason}", way.forward)


def _guests(subject: Subject) -> Iterator[Finding]:
    if is_member(subject):
        return
    directories = subject.snapshot.node_directories
    if not directories.known:
        if subject.classified.state is not NodeState.UNKNOWN:
            yield unknown("guests", subject.host, "The guests of the node", directories.reason)
        return
    for name, directory in sorted((directories.value or {}).items()):
        if not directory.guests:
            continue
        ids = ", ".join(directory.guests[:8]) + (", ..." if len(directory.guests) > 8 else "")
        if name == subject.node_name:
            text = f"The node has guests ({ids}); Proxmox VE lets only an empty node join."
            remedy = "Back them up and remove them, join, restore them; or make this node the primary of a new cluster."
            yield error("guests", subject.host, text, remedy)
        else:
            text = (
                f"Configurations of guests ({ids}) are left over from the node '{name}'; they prevent a join as well."
            )
            remedy = f"If they are copies: rm -r /etc/pve/nodes/{name} on {subject.host}. Look at them first."
            yield error("stale_guests", subject.host, text, remedy)


def _own_name(subject: Subject) -> Iterator[Finding]:
    own, local = subject.snapshot.own_addresses, set(subject.snapshot.local_addresses.value or [])
    if not own.present or not own.value:
        text = f"The node's name '{subject.node_name}' does not resolve on the node ({own.reason or 'no address'})."
        yield error("own_name", subject.host, text, f"Add a line 'ADDRESS FQDN {subject.node_name}' to its /etc/hosts.")
        return
    first = own.value[0]
    if is_loopback(first):
        text = f"The node's name '{subject.node_name}' resolves to {first}, a loopback address."
        remedy = f"In /etc/hosts, replace {first} by the node's real address in the line that has {subject.node_name}."
        yield error("own_name", subject.host, text, remedy)
    elif first not in local:
        text = f"The node's name '{subject.node_name}' resolves to {first}, which is not an address of this node."
        yield error(
            "own_name",
            subject.host,
            text,
            "Correct /etc/hosts (or DNS): the name has to lead to one of its own addresses.",
        )
    if subject.reading("hosts_managed_by_cloud_init").value:
        text = "cloud-init writes /etc/hosts anew at each boot (manage_etc_hosts)."
        yield warning(
            "cloud_init_hosts", subject.host, text, "Set 'manage_etc_hosts: false' in /etc/cloud/cloud.cfg.d/."
        )
    short = subject.wish.hostname.split(".")[0].lower()
    if short and short != subject.node_name.lower():
        text = f"The inventory calls the host '{subject.wish.hostname}', the node calls itself '{subject.node_name}'."
        yield warning(
            "hostname",
            subject.host,
            text,
            "Correct 'hostname' in the inventory; a node with guests must not be renamed.",
        )


def _ssh(subject: Subject) -> Iterator[Finding]:
    daemon = subject.reading("ssh_daemon")
    if daemon.value is None:
        yield warning(
            "sshd", subject.host, f"sshd's settings could not be read: {daemon.reason}", "Look at the service ssh."
        )
    elif not daemon.value["root_may_use_keys"]:
        text = f"sshd does not let root in by key (PermitRootLogin {daemon.value['permit_root_login']})."
        remedy = "Set PermitRootLogin prohibit-password, or proxmox_ssh_setup_permit_root_login=true: the nodes need it between them."
        yield error("root_login", subject.host, text, remedy)


def _root_key(subject: Subject) -> Iterator[Finding]:
    """Joining over SSH, Proxmox VE logs in by the key of the node's root, which its own start-up makes."""
    key = subject.reading("root_public_key")
    if not key.present or not key.value:
        text = (
            "Root has no SSH key of its own (/root/.ssh/id_rsa.pub), with which Proxmox VE logs in to the other nodes."
        )
        yield error("no_root_key", subject.host, text, "Let Proxmox VE make it: pvecm updatecerts")


def _clock(subject: Subject) -> Iterator[Finding]:
    if (subject.reading("clock_synchronized").value or "").strip() == "no":
        text = "The clock is not synchronized."
        yield warning("clock_unsynchronized", subject.host, text, "Let chrony reach a time server: chronyc sources.")


def _space(subject: Subject) -> Iterator[Finding]:
    for path, raw in subject.facts.get("free_bytes", {}).items():
        if raw.get("reason"):
            yield unknown("disk_space", subject.host, f"The free space of {path}", raw["reason"])
        elif (raw.get("value") or 0) < LEAST_FREE:
            text = f"Only {(raw.get('value') or 0) // 2**20} MiB are free below {path}; a join that runs out of space stops half way."
            yield error("disk_space", subject.host, text, f"Make room: du -xh --max-depth=2 {path} | sort -h")


def _packages(subject: Subject) -> Iterator[Finding]:
    pending = subject.reading("pending_packages").value or []
    if pending:
        text = f"Upgrades are pending for {', '.join(pending)}."
        yield warning(
            "pending_upgrade", subject.host, text, "Bring all nodes to the same version first: apt-get dist-upgrade."
        )


def _losses(subject: Subject) -> Iterator[Finding]:
    """What a join erases: the joiner's /etc/pve is replaced by the cluster's."""
    if is_member(subject) or subject.cluster_name is not None:
        return
    lost = {
        "storages": [
            name for name in subject.reading("storages").value or [] if name not in ("local", "local-lvm", "local-zfs")
        ],
        "users": [name for name in subject.reading("users").value or [] if name != "root@pam"],
        "API tokens": list(subject.reading("tokens").value or []),
        "jobs": list(subject.reading("jobs").value or []),
    }
    named = [f"{what} {', '.join(names)}" for what, names in lost.items() if names]
    if named:
        text = f"The join replaces the node's /etc/pve; these of its own will be gone: {'; '.join(named)}."
        remedy = "Proxmox VE keeps a dump in /var/lib/pve-cluster/backup; add what you need again after the join."
        yield warning("erased_by_join", subject.host, text, remedy)


def _high_availability(subject: Subject) -> Iterator[Finding]:
    state = subject.snapshot.high_availability.value
    if state is not None and state.active_nodes:
        text = f"High availability is active ({', '.join(state.active_nodes)}); a cut in corosync lets the watchdog reset such nodes."
        remedy = "Do it in a quiet hour; where the cluster network changes, disarm it first: ha-manager crm-command disarm-ha freeze."
        yield warning("active_ha", subject.host, text, remedy)


def _link_addresses(subject: Subject) -> Iterator[Finding]:
    local = set(subject.snapshot.local_addresses.value or [])
    for number, address in sorted(subject.wish.links.items()):
        if address not in local:
            text = f"Link {number} is to use {address}, which is not an address of this node."
            yield error(
                "link_address",
                subject.host,
                text,
                f"Correct link{number} in the inventory; its addresses: {', '.join(sorted(local))}.",
            )
