# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running half of a container: a process that sleeps stands for its init, so that process ids and a crash behave."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from practice_pve.guests.store import LXC
from practice_pve.rest.errors import ApiError

RUN_DIRECTORY = Path("/run/lxc")
_STOP_SECONDS = 10


def pid_of(guest_id: int) -> int | None:
    """The container's first process, None when it does not run."""
    try:
        pid = int((RUN_DIRECTORY / f"{guest_id}.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (OSError, ValueError):
        return None
    return pid if f"lxc-start -F -n {guest_id} " in command else None


def is_hung(guest_id: int) -> bool:
    """Whether the container's monitor does not answer: planted by a file, because nothing here hangs by itself."""
    return (RUN_DIRECTORY / f"{guest_id}.hung").exists()


def uptime(guest_id: int) -> int:
    """Seconds since it was started, 0 when it does not run."""
    if pid_of(guest_id) is None:
        return 0
    return max(1, int(time.time() - (RUN_DIRECTORY / f"{guest_id}.pid").stat().st_mtime))


def interfaces(guest_id: int) -> list[dict]:
    """What a running container's cards have: the addresses that are declared; nobody runs a DHCP client here."""
    found = [_interface("lo", "00:00:00:00:00:00", ["127.0.0.1/8", "::1/128"])]
    for key, value in sorted(LXC.load(guest_id).values.items()):
        if re.fullmatch(r"net\d+", key):
            card = dict(part.split("=", 1) for part in str(value).split(",") if "=" in part)
            declared = [card[name] for name in ("ip", "ip6") if "/" in card.get(name, "")]
            found.append(_interface(card["name"], card["hwaddr"].lower(), declared))
    return found


def _interface(name: str, address: str, networks: list[str]) -> dict:
    entry: dict = {"name": name, "hwaddr": address, "hardware-address": address, "ip-addresses": []}
    for network in networks:
        plain, _slash, prefix = network.partition("/")
        family = "inet6" if ":" in plain else "inet"
        entry[family] = network
        entry["ip-addresses"].append({"ip-address": plain, "ip-address-type": family, "prefix": prefix})
    return entry


def start(guest_id: int, *, skip_lock: bool = False) -> None:
    """Start a container that can be started."""
    with LXC.lock(guest_id):
        config = LXC.load(guest_id)
        if config.values.get("template"):
            raise ApiError("you can't start a CT if it's a template")
        if not skip_lock:
            LXC.assert_unlocked(config)
        RUN_DIRECTORY.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [f"/usr/bin/lxc-start -F -n {guest_id}", "infinity"],
            executable="/usr/bin/sleep",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        (RUN_DIRECTORY / f"{guest_id}.pid").write_text(f"{process.pid}\n")
        # the caller is short-lived and must not complain about a child it leaves behind
        process.returncode = 0


def stop(guest_id: int, *, skip_lock: bool = False) -> None:
    """End a container; its init obeys, so a shutdown is the same."""
    with LXC.lock(guest_id):
        config = LXC.load(guest_id)
        if not skip_lock:
            LXC.assert_unlocked(config)
        pid = pid_of(guest_id)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + _STOP_SECONDS
            while pid_of(guest_id) is not None and time.monotonic() < end:
                time.sleep(0.02)
        (RUN_DIRECTORY / f"{guest_id}.pid").unlink(missing_ok=True)


def restart(guest_id: int) -> None:
    """Shut down and start again."""
    stop(guest_id)
    start(guest_id)


def assert_running(guest_id: int, noun: str = "CT") -> None:
    """Refuse what needs a running container."""
    if pid_of(guest_id) is None:
        raise ApiError(f"{noun} {guest_id} not running")
