# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""qmrestore: what is refused before a restore begins; the restore itself is not emulated."""

from __future__ import annotations

from collections.abc import Sequence

from practice_pve import settings
from practice_pve.guests import formats  # noqa: F401 - the formats register themselves
from practice_pve.rest import Call, invoke
from practice_pve.rest.command_line import Command, run_command
from practice_pve.rest.parameters import STORAGE_ID, VMID, Boolean, Integer, Text, optional


def restore(call: Call) -> None:
    """Hand everything to the method that creates virtual machines."""
    invoke("POST", f"/nodes/{settings.nodename()}/qemu", dict(call.params))


COMMAND = Command(
    function=restore,
    arguments=("archive", "vmid"),
    group="PVE::CLI::qmrestore",
    parameters={
        "archive": Text(max_length=255),
        "vmid": VMID,
        "storage": optional(STORAGE_ID),
        "force": Boolean(optional=True),
        "unique": Boolean(optional=True),
        "pool": Text(optional=True, format="pve-poolid"),
        "bwlimit": Integer(optional=True, minimum=0),
        "start": Boolean(optional=True),
        "live-restore": Boolean(optional=True),
    },
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run_command("qmrestore", COMMAND, argv)
