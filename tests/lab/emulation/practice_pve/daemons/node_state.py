# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This node's figures: from /proc, and as pvestatd publishes them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from practice_pve import settings
from practice_pve.pmxcfs import client
from practice_pve.rest.cluster_state import broadcast_status

# order of the fields in PVE's "pve-node-9.0" string
FIELDS = (
    "uptime", "sublevel", "ctime", "loadavg", "maxcpu", "cpu", "iowait", "memtotal", "memused", "swaptotal",
    "swapused", "roottotal", "rootused", "netin", "netout", "memavailable", "arcsize",
)  # fmt: skip
last_cpu: tuple[int, int] | None = None


def memory() -> dict[str, int]:
    """Return bytes of memory and swap."""
    values = {}
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    used = values["MemTotal"] - values["MemAvailable"]
    return {
        "total": values["MemTotal"], "free": values["MemFree"], "available": values["MemAvailable"], "used": used,
        "swap_total": values["SwapTotal"], "swap_free": values["SwapFree"],
    }  # fmt: skip


def uptime() -> int:
    """Return seconds since this node was started: in a container since its init was."""
    ticks = int(Path("/proc/1/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    machine = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return int(machine - ticks / os.sysconf("SC_CLK_TCK"))


def cpu_usage() -> float:
    """Return the share of processor time used since the last call."""
    global last_cpu
    with open("/proc/stat", encoding="ascii") as stream:
        numbers = [int(part) for part in stream.readline().split()[1:9]]
    now = (sum(numbers), numbers[3] + numbers[4])
    before, last_cpu = last_cpu, now
    if before is None or now[0] == before[0]:
        return 0.0
    return 1 - (now[1] - before[1]) / (now[0] - before[0])


def load_average() -> list[str]:
    """Return the three load figures as text."""
    return Path("/proc/loadavg").read_text(encoding="ascii").split()[:3]


def root_space() -> dict[str, int]:
    """Return bytes of the root file system."""
    status = os.statvfs("/")
    total, free = status.f_blocks * status.f_frsize, status.f_bfree * status.f_frsize
    return {"total": total, "free": free, "used": total - free, "avail": status.f_bavail * status.f_frsize}


def broadcast_facts() -> None:
    """Publish what rarely changes: only when it is new, or lost with a restart of pmxcfs."""
    facts = {
        "kv/static-info": {"cpus": os.cpu_count() or 1, "memory": memory()["total"], "cgroup-mode": 2},
        "kv/version-info": {
            "release": settings.pve_release(), "repoid": settings.REPOSITORY_ID, "version": settings.pve_version(),
        },
    }  # fmt: skip
    for key, value in facts.items():
        text = json.dumps(value)
        if client.status_of(settings.nodename(), key) != text:
            broadcast_status(key, text)
    broadcast_status("kv/network", "{}")


def broadcast_processor_flags() -> None:
    """Publish once what QEMU could offer; the real daemon asks QEMU at its start and never again.

    A recorded member that was powered on again did not show these values to the others.
    """
    if client.read("corosync.conf"):
        return
    for accelerator in ("tcg", "kvm"):
        broadcast_status(f"kv/cpuflags-{accelerator}", "aes avx avx2 sse sse2" if accelerator == "tcg" else " ")


def broadcast_node() -> None:
    """Publish the figures and what never changes."""
    space, ram = root_space(), memory()
    values: dict[str, Any] = {
        "uptime": uptime(), "sublevel": "", "ctime": int(time.time()), "loadavg": load_average()[0],
        "maxcpu": os.cpu_count() or 1, "cpu": f"{cpu_usage():.15g}", "iowait": 0, "memtotal": ram["total"],
        "memused": ram["used"], "swaptotal": ram["swap_total"], "swapused": ram["swap_total"] - ram["swap_free"],
        "roottotal": space["total"], "rootused": space["used"], "netin": 0, "netout": 0,
        "memavailable": ram["available"], "arcsize": 0,
    }  # fmt: skip
    text = ":".join(str(values[name]) for name in FIELDS)
    broadcast_status(f"rrd/pve-node-9.0/{settings.nodename()}", text)
