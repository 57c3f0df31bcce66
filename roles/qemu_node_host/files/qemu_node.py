# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines of this host: qemu-node list | start NAME | stop NAME | console NAME (Ctrl-] leaves) | shutdown NAME."""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

SOCKETS = Path("/run/qemu-nodes")
LEAVE = b"\x1d"  # Ctrl-]


def connect(name: str, kind: str) -> socket.socket:
    path = SOCKETS / f"{name}.{kind}"
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError as error:
        sys.exit(f"{name} does not run, or you may not speak to it ({path}: {error.strerror}).")
    return connection


def ask(connection: socket.socket, command: str) -> dict:
    """One command of QEMU's monitor; events in between are passed over."""
    stream = connection.makefile("rwb", buffering=0)
    stream.write(json.dumps({"execute": command}).encode() + b"\n")
    for line in stream:
        answer = json.loads(line)
        if "return" in answer or "error" in answer:
            return answer
    return {}


def shut_down(name: str, timeout: int) -> None:
    """Press the power button, and switch off what does not obey."""
    monitor = connect(name, "qmp")
    monitor.settimeout(10)
    ask(monitor, "qmp_capabilities")
    ask(monitor, "system_powerdown")
    monitor.settimeout(max(timeout, 1))
    deadline = time.monotonic() + timeout
    try:
        # QEMU closes the connection when it ends.
        while time.monotonic() < deadline and monitor.recv(4096):
            monitor.settimeout(max(deadline - time.monotonic(), 0.1))
    except TimeoutError:
        pass
    if not (SOCKETS / f"{name}.qmp").exists() or not _answers(monitor):
        return
    print(f"{name} did not shut down within {timeout} s and is switched off.", file=sys.stderr)
    ask(monitor, "quit")


def _answers(monitor: socket.socket) -> bool:
    try:
        monitor.settimeout(5)
        return bool(ask(monitor, "query-status"))
    except OSError:
        return False


def show_console(name: str) -> None:
    console = connect(name, "console")
    is_terminal = sys.stdin.isatty()
    before = termios.tcgetattr(0) if is_terminal else None
    print(f"Console of {name}; Ctrl-] leaves.", file=sys.stderr)
    try:
        if is_terminal:
            tty.setraw(0)
        sources = [0, console]
        while console in sources:
            for source in select.select(sources, [], [])[0]:
                data = os.read(0, 4096) if source == 0 else console.recv(4096)
                if source == 0 and (not data or LEAVE in data):
                    return
                if source == 0:
                    console.sendall(data)
                elif data:
                    os.write(1, data)
                else:
                    sources.remove(console)
    finally:
        if before is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, before)


def list_machines() -> None:
    for unit in sorted(Path("/etc/systemd/system").glob("qemu-node-*.service")):
        state = subprocess.run(["systemctl", "is-active", unit.name], capture_output=True, text=True, check=False)
        print(f"{unit.stem.removeprefix('qemu-node-')}\t{state.stdout.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "start", "stop", "console", "shutdown"])
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument(
        "--timeout", type=int, default=90, help="seconds until a machine that does not obey is switched off"
    )
    arguments = parser.parse_args()
    if arguments.command == "list":
        return list_machines()
    if not arguments.name:
        parser.error("which machine? (qemu-node list)")
    if arguments.command in ("start", "stop"):
        sys.exit(
            subprocess.run(["systemctl", arguments.command, f"qemu-node-{arguments.name}"], check=False).returncode
        )
    if arguments.command == "console":
        return show_console(arguments.name)
    return shut_down(arguments.name, arguments.timeout)


if __name__ == "__main__":
    main()
