# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running half of a virtual machine.

Everything that starts, asks or stops a machine goes through this module. In a node with QEMU it is a real process of it,
elsewhere "running" is a state (see sleeper.py).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from practice_pve import settings
from practice_pve.guests import agent_stand_in, monitor_socket, qemu, sleeper
from practice_pve.guests.qemu_command import has_agent_port
from practice_pve.guests.store import QEMU
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError, NotEmulated

RUN_DIRECTORY = Path("/var/run/qemu-server")
_STOP_SECONDS = 10


def pid_of(guest_id: int) -> int | None:
    """The machine's process, None when it does not run."""
    try:
        pid = int((RUN_DIRECTORY / f"{guest_id}.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (OSError, ValueError):
        return None
    return pid if re.search(rf"kvm.* -id {guest_id}\b", command) else None


def is_running(guest_id: int) -> bool:
    """True while the process lives."""
    return pid_of(guest_id) is not None


def start(guest_id: int, values: Mapping[str, object], *, paused: bool = False) -> None:
    """Start the process in a scope of its own, so that it outlives the daemon that started it."""
    RUN_DIRECTORY.mkdir(parents=True, exist_ok=True)
    clean_up(guest_id)
    if qemu.is_wanted(values):
        pid = qemu.launch(guest_id, values, RUN_DIRECTORY, paused=paused)
    else:
        pid = sleeper.launch(guest_id, RUN_DIRECTORY, agent_port=has_agent_port(values))
        sleeper.set_paused(guest_id, RUN_DIRECTORY, paused)
    _move_to_scope(guest_id, pid)


def _move_to_scope(guest_id: int, pid: int) -> None:
    """Ask systemd for qemu.slice/ID.scope around the process; without systemd it simply stays where it is."""
    subprocess.run(
        [
            "busctl", "call", "--quiet", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))", f"{guest_id}.scope", "replace",
            "2", "PIDs", "au", "1", str(pid), "Slice", "s", "qemu.slice", "0",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def stop(guest_id: int) -> None:
    """End the process, by force if it must be."""
    pid = pid_of(guest_id)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        while is_running(guest_id) and time.monotonic() < end:
            time.sleep(0.02)
        if is_running(guest_id):
            _signal(pid, signal.SIGKILL)
    clean_up(guest_id)


def power_down(guest_id: int, timeout: float) -> bool:
    """Press the power button and wait; True when the guest went down.

    A sleeping process has no operating system that would listen, unless the node's settings say so.
    """
    if qemu.is_real(guest_id):
        monitor_socket.ask(guest_id, "system_powerdown")
    elif settings.get("guests_obey_acpi", False):
        stop(guest_id)
        return True
    return wait_until_down(guest_id, timeout)


def wait_until_down(guest_id: int, timeout: float) -> bool:
    """Wait for the end of the process; True when it came."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if not is_running(guest_id):
            clean_up(guest_id)
            return True
        time.sleep(min(0.1, max(end - time.monotonic(), 0)))
    return False


def clean_up(guest_id: int) -> None:
    """Remove what a machine leaves in /run."""
    for suffix in ("pid", "paused", "qmp", "qga", "vnc", *(f"serial{number}" for number in range(4))):
        (RUN_DIRECTORY / f"{guest_id}.{suffix}").unlink(missing_ok=True)


def set_paused(guest_id: int, paused: bool) -> None:
    """Stop or continue the virtual CPUs."""
    if qemu.is_real(guest_id):
        monitor_socket.ask(guest_id, "stop" if paused else "cont")
    else:
        sleeper.set_paused(guest_id, RUN_DIRECTORY, paused)


def reset(guest_id: int) -> None:
    """Press the reset button."""
    if qemu.is_real(guest_id):
        monitor_socket.ask(guest_id, "system_reset")
    else:
        sleeper.set_paused(guest_id, RUN_DIRECTORY, False)


def qmp_status(guest_id: int) -> str:
    """What QEMU itself would answer."""
    if not is_running(guest_id):
        return "stopped"
    if qemu.is_real(guest_id):
        return qemu.status(guest_id)
    return "paused" if sleeper.is_paused(guest_id, RUN_DIRECTORY) else "running"


def monitor(guest_id: int, command: str) -> str:
    """One question to QEMU's monitor for people."""
    if qemu.is_real(guest_id):
        # carriage returns are for terminals
        return str(monitor_socket.ask(guest_id, "human-monitor-command", {"command-line": command})).replace("\r", "")
    if command == "info status":
        return f"VM status: {qmp_status(guest_id)}\n"
    if command == "info qtree":
        listening = agent_stand_in.is_listening(QEMU.load(guest_id).values)
        return sleeper.device_tree(guest_id, RUN_DIRECTORY, listening=listening)
    raise NotEmulated(f"monitor command {command}")


def uptime(guest_id: int) -> int:
    """Seconds since the process started, 0 when it does not run."""
    pid = pid_of(guest_id)
    if pid is None:
        return 0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        since_boot = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return 0
    return max(int(since_boot - int(fields[19]) / os.sysconf("SC_CLK_TCK")), 0)


def assert_configured(guest_id: int) -> None:
    """PVE looks for the configuration before it looks for a process, in words of its own."""
    node = settings.nodename()
    if client.read(f"nodes/{node}/qemu-server/{guest_id}.conf") is None:
        raise ApiError(f"unable to find configuration file for VM {guest_id} on node '{node}'", exit_code=2)


def assert_running(guest_id: int, exit_code: int = 2) -> None:
    """Refuse what only makes sense for a running machine."""
    assert_configured(guest_id)
    if not is_running(guest_id):
        raise ApiError(f"VM {guest_id} not running", exit_code=exit_code)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
