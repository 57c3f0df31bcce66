# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the traces of members that are gone: keys, known hosts, and their names in the cluster's configuration.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import StepFailed
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.traces import (
    authorized_keys_without,
    known_hosts_without,
    references_to,
    replication_jobs_to,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._files import read_text, replace_text
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Place

_KEYS = "/etc/pve/priv/authorized_keys"
# /etc/ssh/ssh_known_hosts is a link to this one only on the node that made the cluster.
_CLUSTER_KNOWN_HOSTS = "/etc/pve/priv/known_hosts"
_OWN_KNOWN_HOSTS = "/root/.ssh/known_hosts"


def forget_cluster_keys(names: Sequence[str], addresses: Sequence[str]) -> None:
    """The cluster's own lists in /etc/pve/priv."""
    own_key = read_text("/root/.ssh/id_rsa.pub") or ""
    keys = read_text(_KEYS)
    if keys is not None:
        _replace(_KEYS, keys, authorized_keys_without(keys, names, own_key))
    _forget_hosts(_CLUSTER_KNOWN_HOSTS, [*names, *addresses])


def forget_own_known_hosts(hosts: Sequence[str]) -> None:
    """Root's own list on this node, so that a new machine under an old name is not taken for an impostor."""
    _forget_hosts(_OWN_KNOWN_HOSTS, hosts)


def forget_known_hosts_of(member: Place, hosts: Sequence[str]) -> None:
    """The same on another member. One that cannot be reached keeps its list: Proxmox VE itself goes by the pinned keys."""
    read = member.run(["cat", _OWN_KNOWN_HOSTS], 30)
    kept = known_hosts_without(read.stdout, hosts)
    if read.rc == 0 and kept.splitlines() != read.stdout.splitlines():
        new = f"{_OWN_KNOWN_HOSTS}.new"
        member.run(["sh", "-c", f"umask 077 && cat > {new} && mv {new} {_OWN_KNOWN_HOSTS}"], 30, kept)


def _forget_hosts(path: str, hosts: Sequence[str]) -> None:
    text = read_text(path)
    if text is not None:
        _replace(path, text, known_hosts_without(text, hosts))


def forget_references(place: Place, names: Sequence[str]) -> None:
    """By PVE's own programs, which lock and check; a list that would become empty is left and told instead.

    An empty list of nodes means "all nodes" to PVE, the contrary of what is left over.
    """
    for reference in references_to(read_text("/etc/pve/storage.cfg") or "", names):
        if reference.left:
            _run(place, ["pvesm", "set", reference.name, "--nodes", ",".join(reference.left)])
    for job in replication_jobs_to(read_text("/etc/pve/replication.cfg") or "", names):
        _run(place, ["pvesr", "delete", job, "--force", "1"])
    for rule in references_to(read_text("/etc/pve/ha/rules.cfg") or "", names):
        if rule.left:
            _run(place, ["ha-manager", "rules", "set", rule.kind, rule.name, "--nodes", ",".join(rule.left)])
        else:
            _run(place, ["ha-manager", "rules", "remove", rule.name])
    for group in references_to(read_text("/etc/pve/ha/groups.cfg") or "", names):
        if group.left:
            _run(place, ["ha-manager", "groupset", group.name, "--nodes", ",".join(group.left)])
        else:
            _run(place, ["ha-manager", "groupremove", group.name])


def _replace(path: str, old: str, new: str) -> None:
    if new.splitlines() != old.splitlines():
        replace_text(path, new)


def _run(place: Place, argv: Sequence[str]) -> None:
    done = place.run(argv, 60)
    if done.rc != 0:
        raise StepFailed(f"{' '.join(argv)} failed: {done.words}", "Run it by hand, then run again.")
