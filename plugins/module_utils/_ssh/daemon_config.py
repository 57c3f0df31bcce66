# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH daemon's effective configuration, as far as root's logins depend on it, and our drop-in for it. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from dataclasses import dataclass

DROP_IN_PATH = "/etc/ssh/sshd_config.d/10-baremetal-proxmox.conf"
USER_KEYS = ".ssh/authorized_keys"
# Outside of /etc/pve: it still lets its owner in while the cluster file system is away (a join deletes and refills it).
SECOND_COPY = ".ssh/authorized_keys2"
CLUSTER_KEYS = "/etc/pve/priv/authorized_keys"


@dataclass(frozen=True)
class DaemonConfig:
    """The part of C(sshd -T -C user=root,...) that decides who may log in as root, and how."""

    permit_root_login: str
    pubkey_authentication: bool
    password_authentication: bool
    authorized_keys_files: tuple[str, ...]

    @property
    def root_may_use_keys(self) -> bool:
        return self.pubkey_authentication and self.permit_root_login in ("yes", "prohibit-password", "without-password")

    @property
    def root_may_use_password(self) -> bool:
        return self.password_authentication and self.permit_root_login == "yes"


def parse_daemon_config(text: str) -> DaemonConfig:
    """Read the output of C(sshd -T). Raises ValueError when a line that matters is missing: unknown is not a default."""
    options: dict[str, str] = {}
    for line in text.splitlines():
        name, _separator, value = line.strip().partition(" ")
        options.setdefault(name.lower(), value.strip())
    missing = {
        "permitrootlogin",
        "pubkeyauthentication",
        "passwordauthentication",
        "authorizedkeysfile",
    } - options.keys()
    if missing:
        raise ValueError(f"sshd -T did not tell: {', '.join(sorted(missing))}")
    files = options["authorizedkeysfile"]
    return DaemonConfig(
        permit_root_login=options["permitrootlogin"],
        pubkey_authentication=options["pubkeyauthentication"] == "yes",
        password_authentication=options["passwordauthentication"] == "yes",
        authorized_keys_files=() if files == "none" else tuple(files.split()),
    )


def render_drop_in(config: DaemonConfig, permit_root_login: bool, present: str | None = None) -> str | None:
    """The drop-in that makes root reachable by key in both places; None if the daemon does all of it already.

    C(present) is the drop-in that is there: what it grants is granted further, or the next run would take it back.
    The settings stand in a C(Match) block: the cluster's list is root's list and must not let its keys in as other users.
    """
    wanted = [USER_KEYS, SECOND_COPY, CLUSTER_KEYS]
    extra = [path for path in config.authorized_keys_files if path not in wanted]
    reads_all_lists = all(path in config.authorized_keys_files for path in wanted)
    if reads_all_lists and (config.root_may_use_keys or not permit_root_login):
        return None
    lines = [f"    AuthorizedKeysFile {' '.join(wanted + extra)}"]
    if permit_root_login and (not config.root_may_use_keys or "PermitRootLogin" in (present or "")):
        lines += ["    PermitRootLogin prohibit-password", "    PubkeyAuthentication yes"]
    return "\n".join(["# Managed by baremetal.proxmox (role proxmox_ssh_setup).", "Match User root", *lines]) + "\n"
