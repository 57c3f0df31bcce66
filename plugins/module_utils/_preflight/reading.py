# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight wants to know of a node beside its cluster state. It only reads: no file, key or time stamp changes.

This file is private to the collection and may change without notice.

Each value is C({"value": ...}) (None: known to be absent) or C({"reason": ...}) (unknown, and why), as in _node/collect.py.
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import re
import struct
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.collect import Reading, attempt
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.node import (
    AccessError,
    read_daemon_config,
    read_host_keys,
)

PMXCFS = Path("/etc/pve")
# Where a join writes: corosync's configuration, the database and its dump, the logs.
WRITTEN_DIRECTORIES = ("/etc", "/var/lib/pve-cluster", "/var/log")
UNSYNCHRONIZED_ERROR = 16_000_000  # microseconds; the kernel's estimate does not grow beyond


def read_node() -> dict[str, Any]:
    """Everything at once; the slow programs run beside the file reads."""
    version = _start(["pveversion"])
    addresses = _start(["ip", "-json", "address", "show"])
    return {
        "user_id": os.geteuid(),
        "host_keys": attempt(read_host_keys),
        "hosts_file": attempt(lambda: Path("/etc/hosts").read_text(encoding="utf-8")),
        "hosts_managed_by_cloud_init": attempt(_cloud_init_manages_hosts),
        "ssh_daemon": _ssh_daemon(),
        "free_bytes": {path: attempt(partial(_free_bytes, path)) for path in WRITTEN_DIRECTORIES},
        "pending_packages": attempt(_pending_packages),
        "storages": attempt(lambda: _section_names(PMXCFS / "storage.cfg")),
        "users": attempt(lambda: _user_names(PMXCFS / "user.cfg")),
        "tokens": attempt(lambda: _token_names(PMXCFS / "user.cfg")),
        "jobs": attempt(lambda: _section_names(PMXCFS / "jobs.cfg")),
        "two_factor_users": attempt(lambda: _two_factor_users(PMXCFS / "priv" / "tfa.cfg")),
        "firewall": attempt(lambda: _firewall(PMXCFS / "firewall" / "cluster.fw")),
        "pinned_host_keys": attempt(_pinned_host_keys),
        "root_public_key": attempt(lambda: Path("/root/.ssh/id_rsa.pub").read_text(encoding="utf-8").strip()),
        "authorized_keys": attempt(lambda: (PMXCFS / "priv" / "authorized_keys").read_text(encoding="utf-8")),
        "version": _finish(version),
        "addresses": _finish(addresses),
        "clock_synchronized": attempt(_clock_synchronized),
        "clock": time.time(),
    }


def _start(argv: list[str]) -> subprocess.Popen[str] | None:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
    except FileNotFoundError:
        return None


def _finish(process: subprocess.Popen[str] | None) -> Reading:
    if process is None:
        return {"value": None}
    try:
        output, errors = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return {"reason": f"{process.args!r} gave no answer within 20 seconds"}
    if process.returncode != 0:
        return {"reason": errors.strip() or f"exit code {process.returncode}"}
    return {"value": output}


def _ssh_daemon() -> Reading:
    if not os.path.isdir("/run/sshd"):
        # sshd -T would refuse, and making the directory would be a trace.
        return {"reason": "sshd does not run as a service here"}
    try:
        config = read_daemon_config()
    except AccessError as error:
        return {"reason": str(error)}
    return {"value": {"permit_root_login": config.permit_root_login, "root_may_use_keys": config.root_may_use_keys}}


def _clock_synchronized() -> str:
    """As timedatectl judges it, by the kernel's estimate of the clock's error. timedatectl itself would start a service
    with a directory of its own in /tmp: a trace."""
    timex = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    largest_error = struct.unpack_from("@Illl", timex)[3]
    return "yes" if largest_error < UNSYNCHRONIZED_ERROR else "no"


def _free_bytes(path: str) -> int:
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def _cloud_init_manages_hosts() -> bool:
    """Whether cloud-init writes /etc/hosts anew at the next boot, which undoes what a cluster needs there."""
    for path in sorted(glob.glob("/etc/cloud/cloud.cfg") + glob.glob("/etc/cloud/cloud.cfg.d/*.cfg"), reverse=True):
        match = re.search(r"^manage_etc_hosts:\s*(\S+)", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            return match[1].strip("'\"").lower() in ("true", "template", "localhost")
    return False


def _pending_packages() -> list[str]:
    """Cluster packages that wait for an upgrade, as the node's own daily check noted them; no package list is touched."""
    content = json.loads(Path("/var/lib/pve-manager/pkgupdates").read_text(encoding="utf-8") or "[]")
    watched = ("pve-cluster", "corosync", "libknet1", "libknet1t64", "pve-manager")
    return sorted(entry["Package"] for entry in content if entry.get("Package") in watched)


def _section_names(path: Path) -> list[str]:
    """The names in a configuration of sections: lines such as "dir: local" that start in the first column."""
    return re.findall(r"^[a-z0-9-]+:[ \t]*(\S+)[ \t]*$", path.read_text(encoding="utf-8"), re.MULTILINE)


def _user_names(path: Path) -> list[str]:
    return re.findall(r"^user:([^:\s]+):", path.read_text(encoding="utf-8"), re.MULTILINE)


def _token_names(path: Path) -> list[str]:
    return re.findall(r"^token:([^:\s]+):", path.read_text(encoding="utf-8"), re.MULTILINE)


def _two_factor_users(path: Path) -> list[str]:
    """Users with a second factor. The secrets in the file are not looked at."""
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        return []
    users = json.loads(text).get("users", {})
    return sorted(name for name, factors in users.items() if any(factors.values()))


def _firewall(path: Path) -> dict[str, bool]:
    text = path.read_text(encoding="utf-8")
    return {
        "enabled": re.search(r"^enable:\s*1\s*$", text, re.MULTILINE) is not None,
        "has_management_set": re.search(r"^\[IPSET management\]", text, re.MULTILINE | re.IGNORECASE) is not None,
    }


def _pinned_host_keys() -> dict[str, str]:
    """By which host keys the members of this cluster know each other."""
    return {
        path.parent.name: path.read_text(encoding="utf-8")
        for path in sorted((PMXCFS / "nodes").glob("*/ssh_known_hosts"))
    }
