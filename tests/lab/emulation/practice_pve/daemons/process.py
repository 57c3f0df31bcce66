# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a daemon: going to the background with a PID file, start/stop/restart/status, signals."""

from __future__ import annotations

import os
import signal
import sys
import syslog
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from practice_pve.rest import cluster_state

STOP_TIME = 15


def running_pid(pid_file: Path) -> int | None:
    """Return the running daemon's process id."""
    try:
        pid = int(pid_file.read_text(encoding="ascii").strip())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    return pid


def main(name: str, pid_file: Path, prepare: Callable[[], Callable[[], None]], argv: Sequence[str]) -> int:
    """Handle "start [--debug]", "stop", "restart" and "status".

    ``prepare`` runs in the foreground (listening sockets: an error must be seen by systemd) and returns the loop.
    """
    command = argv[0] if argv else ""
    if command == "start":
        return start(name, pid_file, prepare, foreground="--debug" in argv or "-debug" in argv)
    if command in ("stop", "restart", "status"):
        return control(command, pid_file)
    sys.stderr.write("ERROR: no command specified\n" if not command else f"ERROR: unknown command '{name} {command}'\n")
    sys.stderr.write(
        f"USAGE: {name} <COMMAND> [ARGS] [OPTIONS]\n\n       {name} restart \n       {name} start  [OPTIONS]\n"
        f"       {name} status \n       {name} stop \n\n       {name} help [<extra-args>] [OPTIONS]\n"
    )
    return 255


def control(command: str, pid_file: Path) -> int:
    """Stop, reload or show the running daemon."""
    pid = running_pid(pid_file)
    if command == "status":
        print("running" if pid else "stopped")
    elif command == "restart" and pid:
        os.kill(pid, signal.SIGHUP)
    elif command == "stop" and pid:
        os.kill(pid, signal.SIGTERM)
        for _ in range(STOP_TIME * 20):
            if running_pid(pid_file) is None:
                break
            time.sleep(0.05)
    return 0


def start(name: str, pid_file: Path, prepare: Callable[[], Callable[[], None]], *, foreground: bool) -> int:
    """Start the daemon."""
    if running_pid(pid_file):
        sys.stderr.write(f"start failed - can't acquire lock '{pid_file}.lock' - Resource temporarily unavailable\n")
        return 255
    cluster_state.program = name
    syslog.openlog(name, syslog.LOG_PID, syslog.LOG_DAEMON)
    run = prepare()
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    if not foreground:
        ready_read, ready_write = os.pipe()
        if os.fork():
            # systemd may go on when the PID file is there
            os.close(ready_write)
            return 0 if os.read(ready_read, 1) else 255
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
        os.write(ready_write, b"+")
        os.close(ready_write)
        os.close(ready_read)
    else:
        pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
    syslog.syslog("starting server")
    try:
        run()
    finally:
        if running_pid(pid_file) == os.getpid():
            pid_file.unlink(missing_ok=True)
    syslog.syslog("server stopped")
    return 0
