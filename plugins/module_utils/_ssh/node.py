# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small shell around the SSH access of a node: reads its state and carries out the steps of a plan.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import glob
import os
import subprocess
from collections.abc import Callable
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._files import (
    CLUSTER_FILES,
    read_text,
    replace_link,
    replace_text,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.access import (
    KEYS_PATH,
    KNOWN_HOSTS_PATH,
    SECOND_COPY_PATH,
    AccessState,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.daemon_config import (
    CLUSTER_KEYS,
    DROP_IN_PATH,
    DaemonConfig,
    parse_daemon_config,
)


class AccessError(Exception):
    """The access could not be read or set up; the message is for the user and holds the remedy."""


def read_daemon_config() -> DaemonConfig:
    """Ask sshd itself what holds for root: no file tells (drop-ins, Match blocks, the order of lines)."""
    # Without the directory that the service makes at its start, sshd -T refuses to answer.
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    command = ["/usr/sbin/sshd", "-T", "-C", "user=root,host=localhost,addr=127.0.0.1"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # pylint: disable=ansible-bad-function
    except FileNotFoundError as error:
        raise AccessError("sshd is not installed on this node (package openssh-server)") from error
    if result.returncode != 0:
        raise AccessError(f"sshd rejects its own configuration, mend that first: {result.stderr.strip()}")
    try:
        return parse_daemon_config(result.stdout)
    except ValueError as error:
        raise AccessError(str(error)) from error


def read_access_state() -> AccessState:
    """Everything plan_access() decides on, read once."""
    proxmox = os.path.isdir(CLUSTER_FILES) and os.path.exists("/usr/bin/pvecm")
    mounted = proxmox and os.path.isdir(f"{CLUSTER_FILES}/priv")
    linked = os.path.realpath(KEYS_PATH) == CLUSTER_KEYS
    mode = "plain"
    if proxmox:
        clustered = os.path.exists(f"{CLUSTER_FILES}/corosync.conf") or os.path.exists("/etc/corosync/corosync.conf")
        mode = "cluster" if clustered else "standalone"
    return AccessState(
        mode=mode,
        ssh_directory_exists=os.path.isdir("/root/.ssh"),
        keys_are_linked=linked,
        own_keys=None if linked else read_text(KEYS_PATH),
        cluster_keys=read_text(CLUSTER_KEYS) if mounted else None,
        # pmxcfs takes the write bits away from everything while it has no quorum, and the kernel holds even root to that.
        cluster_writable=mounted and os.stat(f"{CLUSTER_FILES}/priv").st_mode & 0o200 != 0,
        second_copy=read_text(SECOND_COPY_PATH),
        known_hosts=read_text(KNOWN_HOSTS_PATH),
        daemon=read_daemon_config(),
        drop_in=read_text(DROP_IN_PATH),
    )


def read_host_keys() -> list[str]:
    """The node's own public host keys, as "TYPE BLOB"."""
    keys = []
    for path in sorted(glob.glob("/etc/ssh/ssh_host_*_key.pub")):
        fields = (read_text(path) or "").split()
        if len(fields) >= 2:
            keys.append(f"{fields[0]} {fields[1]}")
    return keys


def read_root_public_key() -> str | None:
    """The key with which Proxmox logs in to other nodes; None before Proxmox has made it."""
    text = read_text("/root/.ssh/id_rsa.pub")
    return text.strip() if text else None


def configure_daemon(text: str) -> None:
    """Put the drop-in in place, and take it back if sshd would not start with it or does not do what it says."""
    before = read_text(DROP_IN_PATH)
    os.makedirs(os.path.dirname(DROP_IN_PATH), mode=0o755, exist_ok=True)
    replace_text(DROP_IN_PATH, text, 0o644)
    try:
        config = read_daemon_config()
        if CLUSTER_KEYS not in config.authorized_keys_files:
            raise AccessError(
                "sshd does not read /etc/ssh/sshd_config.d: add the line 'Include /etc/ssh/sshd_config.d/*.conf' at the "
                "top of /etc/ssh/sshd_config, or set configure_sshd to false"
            )
    except AccessError:
        if before is None:
            os.unlink(DROP_IN_PATH)
        else:
            replace_text(DROP_IN_PATH, before, 0o644)
        raise
    reload_daemon()


def reload_daemon() -> None:
    """Running logins survive a reload. The unit is ssh on Debian; sshd is an alias there and the name elsewhere."""
    errors = []
    for unit in ("ssh.service", "sshd.service"):
        command = ["systemctl", "try-reload-or-restart", unit]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # pylint: disable=ansible-bad-function
        if result.returncode == 0:
            return
        errors.append(result.stderr.strip())
    raise AccessError(f"sshd could not be told to reload: {'; '.join(errors)}")


ACTIONS: dict[str, Callable[..., Any]] = {
    "make_directory": lambda path, mode: os.makedirs(path, mode=mode, exist_ok=True),
    "write": replace_text,
    "link": replace_link,
    "configure_daemon": configure_daemon,
}
