# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read everything about a node that concerns its cluster, once, and print it as JSON.

This file is private to the collection and may change without notice.

It imports nothing of the collection: the very same text is run on this node and, through SSH, on another member. It only
reads. Each reading is C({"value": ...}); a value of null means "known to be absent", C({"reason": ...}) means unknown.
What is on /etc/pve is read in a child process with a deadline, because a wedged pmxcfs blocks its readers for ever.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PMXCFS = Path("/etc/pve")
UNIT_NAMES = (
    "corosync.service",
    "pve-cluster.service",
    "pvedaemon.service",
    "pveproxy.service",
    "pve-ha-crm.service",
    "pve-ha-lrm.service",
    "watchdog-mux.service",
    "corosync-qdevice.service",
    "baremetal-proxmox-create.service",
    "baremetal-proxmox-join.service",
    "baremetal-proxmox-leave.service",
    "baremetal-proxmox-remove.service",
)
UNIT_PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus"
PMXCFS_DEADLINE = 5.0
COMMAND_DEADLINE = 8.0
# A membership command that somebody else started: the command itself, or PVE's worker of the same name.
FOREIGN_COMMAND = re.compile(
    r"(?:^|/)pvecm\0(?:add|create|addnode|delnode|qdevice)\0|UPID:[^\0]*:(?:clusterjoin|clustercreate):"
)

Reading = dict[str, Any]


def attempt(read: Callable[[], Any]) -> Reading:
    try:
        return {"value": read()}
    except FileNotFoundError:
        return {"value": None}
    except (OSError, UnicodeDecodeError, ValueError, sqlite3.Error, subprocess.TimeoutExpired) as error:
        return {"reason": f"{type(error).__name__}: {error}"}


def read_text(path: Path) -> Reading:
    return attempt(lambda: path.read_text(encoding="utf-8"))


def list_names(path: Path) -> Reading:
    return attempt(lambda: sorted(entry.name for entry in path.iterdir()))


def run(argv: list[str]) -> Reading:
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_DEADLINE,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return {"reason": f"{argv[0]} is not installed."}
    except subprocess.TimeoutExpired:
        return {"reason": f"{' '.join(argv)} gave no answer within {COMMAND_DEADLINE:.0f} seconds."}
    return {"value": {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}}


def fingerprint(der: bytes) -> str:
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))


def served_fingerprint(port: int = 8006) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=3) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        certificate = secured.getpeercert(binary_form=True)
    if certificate is None:
        raise ValueError("the port presents no certificate")
    return fingerprint(certificate)


def disk_certificate(directory: Path) -> dict[str, Any] | None:
    """What pveproxy would serve after a reload: the administrator's own certificate if there is one."""
    for name, key in (("pveproxy-ssl.pem", "pveproxy-ssl.key"), ("pve-ssl.pem", "pve-ssl.key")):
        try:
            text = (directory / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        first = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
        if not first:
            return {"file": name, "fingerprint": None, "key": (directory / key).exists()}
        der = ssl.PEM_cert_to_DER_cert(first[0])
        return {"file": name, "fingerprint": fingerprint(der), "key": (directory / key).exists()}
    return None


def guest_ids(directory: Path) -> list[str]:
    found = []
    for kind in ("qemu-server", "lxc"):
        try:
            found += [entry.stem for entry in (directory / kind).iterdir() if entry.suffix == ".conf"]
        except FileNotFoundError:
            continue
    return sorted(found)


def node_directories() -> dict[str, Any]:
    return {
        directory.name: {
            "guests": guest_ids(directory),
            "certificate": (directory / "pve-ssl.pem").exists(),
            "lrm_status": read_text(directory / "lrm_status"),
        }
        for directory in sorted((PMXCFS / "nodes").iterdir())
        if directory.is_dir()
    }


def write_bit(path: Path) -> bool:
    """What PVE itself asks (check_cfs_quorum): without quorum pmxcfs takes all write bits away.

    The kernel's answer may be a second old, so stat is told not to take it; the next who asks gets the new one as well.
    """
    command = ["stat", "--cached=never", "--format=%f", str(path)]
    shown = subprocess.run(  # pylint: disable=ansible-bad-function
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PMXCFS_DEADLINE / 2, check=False
    )
    mode = int(shown.stdout, 16) if shown.returncode == 0 else os.lstat(path).st_mode
    return bool(mode & 0o200)


def read_pmxcfs(node_name: str) -> dict[str, Reading]:
    return {
        "members": read_text(PMXCFS / ".members"),
        "corosync_conf": read_text(PMXCFS / "corosync.conf"),
        "write_bit": attempt(lambda: write_bit(PMXCFS / "local")),
        "node_directories": attempt(node_directories),
        "disk_certificate": attempt(lambda: disk_certificate(PMXCFS / "nodes" / node_name)),
        "ha_manager_status": read_text(PMXCFS / "ha" / "manager_status"),
        "ha_resources": read_text(PMXCFS / "ha" / "resources.cfg"),
    }


def within_deadline(read: Callable[[], Any], seconds: float) -> Any:
    """What C(read) returns, or None if it did not come back in time."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(read(), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    chunks: list[bytes] = []
    deadline = time.monotonic() + seconds
    complete = False
    while (left := deadline - time.monotonic()) > 0 and select.select([reader], [], [], left)[0]:
        chunk = os.read(reader, 65536)
        if not chunk:
            complete = True
            break
        chunks.append(chunk)
    os.close(reader)
    if not complete:
        os.kill(child, signal.SIGKILL)
        # A child that hangs in the kernel stays behind; waiting for it would hang us as well.
        os.waitpid(child, os.WNOHANG)
        return None
    os.waitpid(child, 0)
    return json.loads(b"".join(chunks)) if chunks else None


def pmxcfs_mounted() -> bool:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    return any(line.split()[1:3] == [str(PMXCFS), "fuse"] for line in mounts.splitlines())


def database_holds_cluster(path: Path) -> bool:
    """Whether pmxcfs would start as a member: whether its database has a corosync.conf at the top."""
    if not path.exists():
        raise FileNotFoundError(path)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2)
    try:
        query = "SELECT count(*) FROM tree WHERE parent = 0 AND name = 'corosync.conf'"
        return bool(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


def local_addresses() -> list[str]:
    found = set()
    previous = ""
    for line in Path("/proc/net/fib_trie").read_text(encoding="ascii").splitlines():
        if "/32 host LOCAL" in line:
            found.add(previous)
        elif "|-- " in line:
            previous = line.split("|-- ")[1].strip()
    try:
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            found.add(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])))
    except FileNotFoundError:
        pass
    return sorted(found)


def resolve(name: str) -> list[str]:
    return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)))


def corosync_is_up(units: Reading) -> bool:
    blocks = (units.get("value") or {"stdout": ""})["stdout"].split("\n\n")
    shown = [block.splitlines() for block in blocks]
    return any("Id=corosync.service" in lines and "ActiveState=active" in lines for lines in shown)


def foreign_commands() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if FOREIGN_COMMAND.search(words):
                found.append(words.replace("\0", " ").strip())
    return found


def collect() -> dict[str, Any]:
    node_name = os.uname().nodename.split(".")[0]
    units = run(["systemctl", "show", f"--property={UNIT_PROPERTIES}", *UNIT_NAMES])
    corosync_runs = corosync_is_up(units)
    mounted = attempt(pmxcfs_mounted)
    pmxcfs = None
    reason = mounted.get("reason", "")
    if mounted.get("value"):
        pmxcfs = within_deadline(lambda: read_pmxcfs(node_name), PMXCFS_DEADLINE)
        reason = f"/etc/pve did not answer within {PMXCFS_DEADLINE:.0f} seconds."
    elif mounted.get("value") is False:
        reason = "/etc/pve is not mounted (pmxcfs does not run)."
    database = Path("/var/lib/pve-cluster/config.db")
    not_running = {"reason": "corosync does not run."}
    return {
        "node_name": node_name,
        "boot_id": read_text(Path("/proc/sys/kernel/random/boot_id")),
        "time": time.time(),
        "mounted": mounted,
        "pmxcfs": pmxcfs if pmxcfs is not None else {"reason": reason},
        "local_corosync_conf": read_text(Path("/etc/corosync/corosync.conf")),
        "authkey": attempt(lambda: os.stat("/etc/corosync/authkey").st_size),
        "ring_files": list_names(Path("/var/lib/corosync")),
        "database": attempt(lambda: os.stat(database).st_size),
        # Only where pmxcfs cannot tell: its own database is being written while it runs.
        "database_holds_cluster": attempt(lambda: database_holds_cluster(database))
        if mounted.get("value") is False
        else {"reason": "pmxcfs is running."},
        "database_dumps": list_names(Path("/var/lib/pve-cluster/backup")),
        "served_certificate": attempt(served_fingerprint),
        "units": units,
        "quorum": run(["corosync-quorumtool", "-s"]) if corosync_runs else not_running,
        "links": run(["corosync-cfgtool", "-s"]) if corosync_runs else not_running,
        "foreign_commands": attempt(foreign_commands),
        "local_addresses": attempt(local_addresses),
        "own_addresses": attempt(lambda: resolve(node_name)),
        "leave_marker": read_text(Path("/var/lib/baremetal-proxmox/leaving")),
        "lease": read_text(Path("/run/baremetal-proxmox/lease.json")),
    }


if __name__ == "__main__":
    json.dump(collect(), sys.stdout)
