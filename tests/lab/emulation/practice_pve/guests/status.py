# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the node says about its guests: list entries, current status, the values pvestatd sends around."""

from __future__ import annotations

import os
import re
import time

from practice_pve.guests import container_process, machine
from practice_pve.guests.drives import boot_disk_size
from practice_pve.guests.sizes import parse_size
from practice_pve.guests.store import LXC, QEMU
from practice_pve.guests.values import QEMU_VERSION, memory_of
from practice_pve.pmxcfs import client

_MEBIBYTE = 1024 * 1024
_PRESSURES = tuple(f"pressure{what}{how}" for what in ("cpu", "io", "memory") for how in ("some", "full"))
_MACHINE_TYPE = f"pc-i440fx-{QEMU_VERSION.rpartition('.')[0]}+pve0"
_SUPPORT = {
    "backup-access-api": True,
    "backup-fleecing": True,
    "backup-max-workers": True,
    "pbs-dirty-bitmap": True,
    "pbs-dirty-bitmap-migration": True,
    "pbs-dirty-bitmap-savevm": True,
    "pbs-library-version": "1.5.2",
    "pbs-masterkey": True,
    "query-bitmap-info": True,
}


def machine_status(guest_id: int, *, full: bool = False) -> dict:
    """One virtual machine as GET /nodes/N/qemu lists it; `full` adds what QEMU itself would tell."""
    values = QEMU.load(guest_id).values
    cpus = int(str(values.get("sockets", 1))) * int(str(values.get("cores", 1)))
    entry: dict = {
        "vmid": guest_id,
        "status": "stopped",
        "disk": 0,
        "maxdisk": boot_disk_size(values),
        "cpus": values.get("vcpus") or min(cpus, os.cpu_count() or 1),
        "name": values.get("name", f"VM {guest_id}"),
        "maxmem": memory_of(values) * _MEBIBYTE,
        "uptime": 0,
        "cpu": 0,
        "mem": 0,
        "memhost": 0,
        "netin": 0,
        "netout": 0,
    }
    if values.get("balloon"):
        entry["balloon_min"] = int(str(values["balloon"])) * _MEBIBYTE
        entry["shares"] = values.get("shares", 1000)
    if values.get("template"):
        entry["template"] = 1
    if any(f"serial{index}" in values for index in range(4)):
        entry["serial"] = 1
    entry.update({key: values[key] for key in ("lock", "tags") if values.get(key)})
    pid = machine.pid_of(guest_id)
    if pid is not None:
        entry.update({"pid": pid, "status": "running", "uptime": machine.uptime(guest_id)})
        entry.update(dict.fromkeys(_PRESSURES, 0))
    if full:
        entry["qmpstatus"] = machine.qmp_status(guest_id)
        if pid is not None:
            entry.update(_details_of_running(entry["maxmem"]))
    return entry


def _details_of_running(memory: int) -> dict:
    return {
        "balloon": memory,
        "ballooninfo": {"actual": memory, "max_mem": memory},
        "diskread": 0,
        "diskwrite": 0,
        "proxmox-support": dict(_SUPPORT),
        "running-machine": _MACHINE_TYPE,
        "running-qemu": QEMU_VERSION,
    }


def container_status(guest_id: int) -> dict:
    """One container as GET /nodes/N/lxc lists it."""
    values = LXC.load(guest_id).values
    size = re.search(r"(?:^|,)size=([^,]+)", str(values.get("rootfs", "")))
    # a subvolume without a quota says size=0T, which PVE takes for its default of 4 GiB
    disk = (parse_size(size[1]) if size else 0) or 4 * 1024**3
    entry: dict = {
        "vmid": guest_id,
        "type": "lxc",
        "status": "stopped",
        "name": values.get("hostname", f"CT{guest_id}"),
        "cpus": values.get("cores") or os.cpu_count() or 1,
        "cpu": 0,
        "maxmem": int(str(values.get("memory", 512))) * _MEBIBYTE,
        "mem": 0,
        "maxswap": int(str(values.get("swap", 512))) * _MEBIBYTE,
        "swap": 0,
        "maxdisk": disk,
        "disk": 0,
        "diskread": 0,
        "diskwrite": 0,
        "netin": 0,
        "netout": 0,
        "uptime": container_process.uptime(guest_id),
    }
    pid = container_process.pid_of(guest_id)
    if pid is not None:
        entry.update({"status": "running", "pid": pid})
    if values.get("template"):
        entry["template"] = 1
    entry.update({key: values[key] for key in ("lock", "tags") if values.get(key)})
    return entry


def list_machines(*, full: bool = False) -> list[dict]:
    """All virtual machines of this node."""
    return [machine_status(guest_id, full=full) for guest_id in QEMU.ids()]


def list_containers() -> list[dict]:
    """All containers of this node; one whose monitor hangs hides them all."""
    if any(container_process.is_hung(guest_id) for guest_id in LXC.ids()):
        return []
    return [container_status(guest_id) for guest_id in LXC.ids()]


def broadcast_guests() -> None:
    """Send every guest's values to the other nodes, in the form pvestatd uses; called every 10 seconds."""
    now = int(time.time())
    for entry in list_machines():
        template = entry.get("template", 0)
        values = [
            entry["uptime"], entry["name"], entry["status"], template, now, entry["cpus"], entry["cpu"],
            entry["maxmem"], entry["mem"], entry["maxdisk"], entry["disk"], entry["netin"], entry["netout"], 0, 0,
            entry["memhost"], *(entry.get(name, 0) for name in _PRESSURES),
        ]  # fmt: skip
        client.broadcast_rrd(f"pve-vm-9.0/{entry['vmid']}", ":".join(str(value) for value in values))
    for entry in list_containers():
        values = [
            entry["uptime"], entry["name"], entry["status"], entry.get("template", 0), now, entry["cpus"],
            entry["cpu"], entry["maxmem"], entry["mem"], entry["maxdisk"], entry["disk"], entry["netin"],
            entry["netout"], 0, 0, 0, *([0] * len(_PRESSURES)),
        ]  # fmt: skip
        client.broadcast_rrd(f"pve-vm-9.0/{entry['vmid']}", ":".join(str(value) for value in values))
