# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pveversion: the version of the node."""

from __future__ import annotations

from collections.abc import Sequence

from practice_pve import settings
from practice_pve.rest.call import Call
from practice_pve.rest.command_line import Command, run_command
from practice_pve.rest.errors import NotEmulated
from practice_pve.rest.parameters import Boolean


def show(call: Call) -> None:
    """Print the version line."""
    if call.params.get("verbose"):
        raise NotEmulated("pveversion --verbose")
    import os

    kernel = os.uname().release
    print(f"pve-manager/{settings.pve_version()}/{settings.REPOSITORY_ID} (running kernel: {kernel})")


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    command = Command(function=show, parameters={"verbose": Boolean(optional=True, default=0)})
    return run_command("pveversion", command, argv)
