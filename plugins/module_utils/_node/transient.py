# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a long step as a transient systemd unit, so that a dropped connection does not kill it and a later run finds it.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import StepFailed, UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import UNIT_OF_OPERATION
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.units import SHOWN, UnitState, parse_units
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.run import run

LOG_DIRECTORY = Path("/var/log/baremetal-proxmox")
RUN_DIRECTORY = Path("/run/baremetal-proxmox")
_POLL_SECONDS = 0.1


def log_file(operation: str) -> Path:
    return LOG_DIRECTORY / f"{operation}.log"


def read_log(operation: str) -> str:
    try:
        return log_file(operation).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def start(operation: str, argv: Sequence[str], seconds: int, secret: str = "") -> None:
    """Start the operation; systemd ends it after that many seconds. C(secret) is what it reads on its standard input."""
    unit = UNIT_OF_OPERATION[operation]
    run(["systemctl", "reset-failed", unit], 20)
    log = _new_log(operation)
    with _secret_file(secret) as stdin:
        started = run(
            [
                "systemd-run",
                "--quiet",
                f"--unit={unit}",
                f"--description=baremetal.proxmox: {operation}",
                # "exec" returns when the program has been started, that is when its standard input has been opened.
                "--property=Type=exec",
                f"--property=RuntimeMaxSec={seconds}",
                "--property=TimeoutStopSec=20",
                "--property=WorkingDirectory=/",
                f"--property=StandardInput={stdin}",
                f"--property=StandardOutput=append:{log}",
                f"--property=StandardError=append:{log}",
                # ssh-copy-id, which pvecm calls, keeps its files below HOME; systemd sets none for root.
                "--setenv=HOME=/root",
                "--setenv=LC_ALL=C",
                *literally(argv),
            ],
            60,
        )
    if started.rc != 0:
        raise StepFailed(f"systemd could not start the {operation}: {started.words}", f"systemctl status {unit}")


def literally(argv: Sequence[str]) -> list[str]:
    """systemd puts variables of its own into C(${...}) before the shell sees it; C(--expand-environment) is too new for PVE 8."""
    return [word.replace("$", "$$") for word in argv]


def await_end(operation: str, seconds: float) -> UnitState:
    """Wait until the operation is no longer running. Its result only explains; the node's state decides."""
    deadline = time.monotonic() + seconds
    while True:
        unit = state(operation)
        if not unit.busy:
            return unit
        if time.monotonic() > deadline:
            raise StepFailed(
                f"The {operation} is still running after {seconds:.0f} seconds.",
                f"It goes on by itself; run again to wait for it, or look into {log_file(operation)}.",
            )
        time.sleep(_POLL_SECONDS)


def state(operation: str) -> UnitState:
    name = UNIT_OF_OPERATION[operation]
    shown = run(["systemctl", "show", f"--property={','.join(SHOWN)}", name], 20)
    try:
        return parse_units(shown.stdout)[name]
    except (KeyError, UnreadableText) as error:
        raise StepFailed(f"systemd does not tell the state of {name}: {shown.words or error}") from error


def _new_log(operation: str) -> Path:
    """An empty log that only root can read; the previous one is kept under another name."""
    LOG_DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = log_file(operation)
    if path.exists():
        path.replace(path.with_suffix(".log.1"))
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


@contextmanager
def _secret_file(secret: str) -> Iterator[str]:
    """What systemd takes as standard input. A secret lies on tmpfs only until the program has opened it."""
    if not secret:
        yield "null"
        return
    RUN_DIRECTORY.mkdir(mode=0o700, exist_ok=True)
    path = RUN_DIRECTORY / f"input-{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{secret}\n")
        yield f"file:{path}"
    finally:
        path.unlink()
