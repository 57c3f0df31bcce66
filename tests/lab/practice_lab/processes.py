# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the processes of a lab in /proc. Nothing here trusts a recorded number: a pid counts only with its start time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from .places import NETNS_DIRECTORY

PROC = Path("/proc")
KEEPER_NAME = "practice-node-keeper"


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]


def start_time(pid: int) -> int | None:
    """Clock ticks since boot at which the process started; None: gone or a zombie."""
    try:
        state_and_rest = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state_and_rest[0] in "ZX" else int(state_and_rest[19])


def namespace_of(pid: int, kind: str) -> int | None:
    try:
        return os.stat(PROC / str(pid) / "ns" / kind).st_ino
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def named_network(name: str) -> int | None:
    """Inode of /run/netns/NAME."""
    try:
        return os.stat(NETNS_DIRECTORY / name).st_ino
    except FileNotFoundError:
        return None


def in_network(inodes: set[int]) -> list[int]:
    """All processes whose network namespace is one of the given."""
    return [pid for pid in all_pids() if namespace_of(pid, "net") in inodes]


def arguments(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def namespace_pids(pid: int) -> list[int]:
    """The process's number in each nested pid namespace, outermost first."""
    try:
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return [int(number) for number in line.split()[1:]]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return []


def container_managers() -> Iterator[tuple[int, str]]:
    """(pid, machine name) of every systemd-nspawn and every keeper of one on this host."""
    for pid in all_pids():
        argv = arguments(pid)
        if argv and os.path.basename(argv[0]) == "systemd-nspawn" and "-M" in argv[:-1]:
            yield pid, argv[argv.index("-M") + 1]
        elif argv[3:4] == [KEEPER_NAME] and argv[1:2] == ["-c"]:
            yield pid, argv[4]


def find_leader(network: int) -> int | None:
    """Process 1 of the container that lives in the given network namespace, as the host numbers it."""
    own = namespace_of(os.getpid(), "pid")
    for pid in in_network({network}):
        numbers = namespace_pids(pid)
        if len(numbers) > 1 and numbers[-1] == 1 and namespace_of(pid, "pid") != own and arguments(pid):
            parent_numbers = namespace_pids(parent_of(pid) or 0)
            if len(parent_numbers) < len(numbers):  # a container inside the node is not the node
                return pid
    return None


def parent_of(pid: int) -> int | None:
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def ancestors() -> set[int]:
    """This process and all above it: never to be killed by a clean-up."""
    found: set[int] = set()
    pid: int | None = os.getpid()
    while pid:
        found.add(pid)
        pid = parent_of(pid)
    return found


def kill_all(pids: set[int], patience: float = 20.0) -> set[int]:
    """SIGKILL the given processes, return those that are still there after the patience."""
    waiting = {pid: start_time(pid) for pid in pids - ancestors()}
    for pid in waiting:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + patience
    while waiting and time.monotonic() < deadline:
        waiting = {pid: start for pid, start in waiting.items() if start is not None and start_time(pid) == start}
        time.sleep(0.02)
    return set(waiting)
