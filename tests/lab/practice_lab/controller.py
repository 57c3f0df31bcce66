# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program in a lab's controller namespace, where the nodes are reachable and their names are known."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError
from .places import NETNS_DIRECTORY

if TYPE_CHECKING:
    from .lab import Lab

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000

_libc = ctypes.CDLL(None, use_errno=True)


def enter_command(lab: Lab, argv: Sequence[str]) -> list[str]:
    """Command line that does the work of enter() in a new process."""
    code = Path(__file__).resolve().parent.parent
    program = f"import sys; sys.path.insert(0, {str(code)!r}); from practice_lab.controller import main; main()"
    return [sys.executable, "-c", program, lab.name, str(lab.directory), *argv]


def main() -> None:
    name, directory, *argv = sys.argv[1:]
    try:
        enter(f"pl-{name}", Path(directory))
        os.execvp(argv[0], argv)
    except FileNotFoundError:
        print(f"lab: program not found: {argv[0]}", file=sys.stderr)
        sys.exit(127)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        sys.exit(125)


def enter(namespace: str, directory: Path) -> None:
    """Move this process into the controller namespace, with the lab's hosts file and without name servers.

    The two files are mounted over the host's in a private mount namespace: nobody else sees them.
    """
    try:
        descriptor = os.open(NETNS_DIRECTORY / namespace, os.O_RDONLY)
    except FileNotFoundError as error:
        raise LabError(f"no lab {namespace.removeprefix('pl-')!r} is up") from error
    _check(_libc.setns(descriptor, CLONE_NEWNET), "setns")
    os.close(descriptor)
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None), "mount /")
    for name in ("hosts", "resolv.conf"):
        source, target = directory / name, Path("/etc") / name
        if source.exists() and target.exists():
            _check(_libc.mount(bytes(source), bytes(target.resolve()), None, MS_BIND, None), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise LabError(f"{what}: {os.strerror(ctypes.get_errno())}")
