# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every command of a node does before its own work."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys

from practice_pve.rest import cluster_state, command_line
from practice_pve.rest.errors import NOT_EMULATED_EXIT_CODE

# what PVE's programs say when the caller may not speak to pmxcfs
NOT_ROOT = (
    "ipcc_send_rec[1] failed: Unknown error -1\n"
    "ipcc_send_rec[2] failed: Unknown error -1\n"
    "ipcc_send_rec[3] failed: Unknown error -1\n"
    "Unable to load access control list: Unknown error -1\n"
)


def ask_pmxcfs() -> None:
    """Read versions and users; without pmxcfs every command ends here."""
    from practice_pve.pmxcfs import client

    client.load_access_control()


def run(name: str) -> int:
    """Run one command with the process's arguments and return its exit code."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    os.environ["PATH"] = "/sbin:/bin:/usr/sbin:/usr/bin"
    if os.geteuid() != 0:
        sys.stderr.write(NOT_ROOT)
        return 255
    module = f"practice_pve.commands.{name.replace('-', '_')}"
    try:
        main = importlib.import_module(module).main
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        sys.stderr.write(f"practice node: not emulated: {name}\n")
        return NOT_EMULATED_EXIT_CODE
    cluster_state.program = name
    if name != "pveversion":
        command_line.prepare_environment = ask_pmxcfs
    try:
        exit_code = int(main(sys.argv[1:]))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    return exit_code
