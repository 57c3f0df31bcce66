# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log in as root on this node, and where that is written down: the state, and the plan to what is wanted. Pure.

This file is private to the collection and may change without notice.

Proxmox keeps root's list in the cluster file system: /root/.ssh/authorized_keys is a symbolic link to
/etc/pve/priv/authorized_keys. When a node joins a cluster, its own list is deleted and the cluster's takes its place; while
that happens (or while the node has no quorum) the list cannot be written, and for some seconds not be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.daemon_config import (
    CLUSTER_KEYS,
    DROP_IN_PATH,
    DaemonConfig,
    render_drop_in,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import (
    HostKeys,
    authorize,
    find_keys,
    pin_hosts,
)

KEYS_PATH = "/root/.ssh/authorized_keys"
SECOND_COPY_PATH = "/root/.ssh/authorized_keys2"
KNOWN_HOSTS_PATH = "/root/.ssh/known_hosts"


@dataclass(frozen=True)
class AccessState:
    """What the node says. A text is None where the file does not exist."""

    mode: str  # "plain" (no Proxmox VE), "standalone" or "cluster"
    ssh_directory_exists: bool
    keys_are_linked: bool  # authorized_keys is the symbolic link into /etc/pve
    own_keys: str | None  # text of /root/.ssh/authorized_keys if that is a file of its own
    cluster_keys: str | None  # text of /etc/pve/priv/authorized_keys
    cluster_writable: bool
    second_copy: str | None
    known_hosts: str | None
    daemon: DaemonConfig
    drop_in: str | None


@dataclass(frozen=True)
class WantedAccess:
    keys: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    known_hosts: tuple[HostKeys, ...] = ()
    second_copy: bool = True
    configure_daemon: bool = True
    permit_root_login: bool = False


@dataclass
class _Draft:
    """A plan in the making: what each file will hold, step by step."""

    steps: list[Step] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def write(self, path: str, old: str | None, new: str, mode: int, what: str) -> bool:
        if new == (old or ""):
            return False
        self.steps.append(Step("write", f"{what} ({path})", {"path": path, "text": new, "mode": mode}))
        self.before[path], self.after[path] = old or "", new
        return True


def plan_access(wanted: WantedAccess, state: AccessState) -> Plan:
    """From the node's state to one in which the wanted keys open it, whatever the cluster file system does."""
    draft = _Draft()
    if not state.ssh_directory_exists:
        draft.steps.append(Step("make_directory", "create /root/.ssh", {"path": "/root/.ssh", "mode": 0o700}))
    if state.mode == "plain":
        _plan_own_list(draft, wanted, state)
    else:
        _plan_cluster_list(draft, wanted, state)
    if wanted.second_copy:
        # Only our own keys: this copy must not keep alive what somebody takes out of the cluster's list.
        text = authorize(state.second_copy or "", wanted.keys, wanted.revoked)
        draft.write(SECOND_COPY_PATH, state.second_copy, text, 0o600, "keep a second copy of the keys outside /etc/pve")
    if wanted.known_hosts:
        text = pin_hosts(state.known_hosts or "", wanted.known_hosts)
        draft.write(KNOWN_HOSTS_PATH, state.known_hosts, text, 0o600, "pin the host keys of the other nodes")
    if wanted.configure_daemon:
        _plan_daemon(draft, wanted, state)
    return Plan(tuple(draft.steps), draft.before, draft.after, tuple(draft.warnings))


def _plan_own_list(draft: _Draft, wanted: WantedAccess, state: AccessState) -> None:
    text = authorize(state.own_keys or "", wanted.keys, wanted.revoked)
    draft.write(KEYS_PATH, state.own_keys, text, 0o600, "authorize the keys")


def _plan_cluster_list(draft: _Draft, wanted: WantedAccess, state: AccessState) -> None:
    # A plain file in place of the link (some tools replace it): its keys are carried over, then the link comes back.
    stray = [] if state.own_keys is None else [f"{key.type} {key.blob}" for key in find_keys(state.own_keys)]
    stray_lines = [line for line in (state.own_keys or "").splitlines() if find_keys(line)]
    text = authorize(state.cluster_keys or "", [*stray_lines, *wanted.keys], wanted.revoked)
    if text != (state.cluster_keys or "") and not state.cluster_writable:
        draft.warnings.append(
            f"{CLUSTER_KEYS} cannot be written now (no quorum, or pve-cluster is down), so the keys are not in the cluster's "
            "list yet; bring the node back to quorum (pvecm status) and run this again."
        )
        return
    draft.write(CLUSTER_KEYS, state.cluster_keys, text, 0o600, "authorize the keys in the cluster's list")
    if not state.keys_are_linked and state.cluster_writable:
        what = f"carry {len(stray)} keys over and restore the link" if stray else "restore the link"
        draft.steps.append(
            Step("link", f"{what} {KEYS_PATH} -> {CLUSTER_KEYS}", {"path": KEYS_PATH, "target": CLUSTER_KEYS})
        )
        draft.before[KEYS_PATH] = "file" if state.own_keys is not None else "absent"
        draft.after[KEYS_PATH] = f"link to {CLUSTER_KEYS}"


def _plan_daemon(draft: _Draft, wanted: WantedAccess, state: AccessState) -> None:
    text = render_drop_in(state.daemon, wanted.permit_root_login, state.drop_in)
    if text is None:
        return
    draft.steps.append(Step("configure_daemon", f"let sshd read both lists ({DROP_IN_PATH})", {"text": text}))
    draft.before[DROP_IN_PATH], draft.after[DROP_IN_PATH] = state.drop_in or "", text
