# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a clone, and carry out the plan that makes it a node of its own.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .._cluster.corosync_config import read_corosync_config
from .._cluster.errors import UnreadableText
from .._files import read_text, replace_text
from .._node.run import run
from .._plan import Plan, apply_plan
from .identity import HOSTS, MAILNAME, MARKER, POSTFIX, Clone, IdentityError, Wish, plan_identity

LOG = "/var/log/baremetal-proxmox/identity.log"
_UNIT = "baremetal-proxmox-identity"


def read_clone() -> Clone:
    """What cannot be read ends the run: an unknown guest would be lost."""
    if not os.path.ismount("/etc/pve"):
        raise IdentityError(
            "/etc/pve is not mounted, so nobody knows whether there are guests.", "systemctl start pve-cluster"
        )
    files = {path: read_text(path) for path in (HOSTS, MAILNAME, POSTFIX)}
    return Clone(
        hostname=os.uname().nodename.partition(".")[0],
        machine_id=(read_text("/etc/machine-id") or "").strip(),
        files={path: text for path, text in files.items() if text is not None},
        marker=_read_marker(),
        cluster=_read_cluster(),
        guests=tuple(
            sorted(
                path.stem for kind in ("qemu-server", "lxc") for path in Path("/etc/pve/nodes").glob(f"*/{kind}/*.conf")
            )
        ),
    )


def _read_marker() -> dict[str, Any]:
    try:
        content = json.loads(read_text(MARKER) or "{}")
    except json.JSONDecodeError:
        # Half written by a run that was killed: then that run has not ended.
        return {}
    return content if isinstance(content, dict) else {}


def _read_cluster() -> str | None:
    for path in ("/etc/pve/corosync.conf", "/etc/corosync/corosync.conf"):
        text = read_text(path)
        if text is not None:
            try:
                return read_corosync_config(text).cluster_name
            except UnreadableText:
                return f"of {path}"
    return None


def settle_identity(wish: Wish, check_mode: bool, timeout: int) -> tuple[Plan, list[str]]:
    """Returns the plan and the public SSH host keys as they are afterwards."""
    plan = plan_identity(wish, read_clone())
    if plan.changed and not check_mode:
        apply_plan(
            plan,
            {
                "write": lambda path, text: replace_text(path, text, 0o644),
                "renew": lambda script: _renew(wish, script, timeout),
            },
        )
    keys = [read_text(str(path)) or "" for path in sorted(Path("/etc/ssh").glob("ssh_host_*_key.pub"))]
    return plan, [" ".join(key.split()[:2]) for key in keys if key.strip()]


def _renew(wish: Wish, script: str, timeout: int) -> None:
    """As a unit of its own: the SSH connection may break while the script exchanges the host's keys."""
    os.makedirs(os.path.dirname(LOG), mode=0o700, exist_ok=True)
    run(["systemctl", "reset-failed", _UNIT], 20)
    done = run(
        [
            "systemd-run", "--quiet", "--wait", "--collect", f"--unit={_UNIT}", "--property=WorkingDirectory=/",
            f"--property=RuntimeMaxSec={timeout}", f"--property=StandardOutput=append:{LOG}",
            f"--property=StandardError=append:{LOG}", "--setenv=HOME=/root", "bash", "-c", script,
        ],
        timeout + 30,
    )  # fmt: skip
    words = "\n".join((read_text(LOG) or "").splitlines()[-8:])
    if done.rc != 0:
        raise IdentityError(
            f"The new identity is not complete: {words or done.words}", f"See {LOG}; the next run begins it again."
        )
    clone = read_clone()
    if clone.hostname != wish.hostname or not clone.machine_id:
        raise IdentityError(f"The node still is {clone.hostname}: {words}", f"See {LOG}.")
    replace_text(MARKER, json.dumps({"hostname": wish.hostname, "machine_id": clone.machine_id}) + "\n", 0o600)
