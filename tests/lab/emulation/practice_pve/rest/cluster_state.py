# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API framework wants from pmxcfs, also on a node (or a test host) where it does not run."""

from __future__ import annotations

import contextlib
import syslog

# the running command or daemon: the "tag" of its entries in the cluster log
program = "pvedaemon"


def log_message(message: str, priority: str = "info", user: str = "root@pam") -> None:
    """Write to the cluster log and to syslog."""
    levels = {"err": syslog.LOG_ERR, "warning": syslog.LOG_WARNING}
    syslog.syslog(levels.get(priority, syslog.LOG_INFO), f"<{user}> {message}")
    with contextlib.suppress(ImportError, OSError):
        from practice_pve.pmxcfs import client

        client.log(message, priority, user, program)


def broadcast_status(key: str, value: str) -> None:
    """Publish a value of this node in the cluster's key-value store."""
    with contextlib.suppress(ImportError, OSError):
        from practice_pve.pmxcfs import client

        client.broadcast(key, value)
