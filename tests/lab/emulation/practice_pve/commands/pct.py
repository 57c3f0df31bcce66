# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pct: containers of this node; what happens inside them is not emulated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from practice_pve import settings
from practice_pve.commands.qm import print_config
from practice_pve.commands.refusal import refuse
from practice_pve.guests import container_formats, formats  # noqa: F401 - the formats register themselves
from practice_pve.guests.pending import print_pending
from practice_pve.guests.status import container_status
from practice_pve.guests.store import LXC
from practice_pve.rest import Call
from practice_pve.rest.command_line import Command, exit_with_task, run_command
from practice_pve.rest.parameters import VMID, Boolean

API = "PVE::API2::LXC"
CONFIG = "PVE::API2::LXC::Config"
OWN = "PVE::CLI::pct"
STATUS = "PVE::API2::LXC::Status"
ONE = "/nodes/{node}/lxc/{vmid}"
NODE = {"node": settings.nodename}


def print_list(entries: list[dict], _method: Any, _options: dict) -> None:
    """Output of `pct list`; nothing at all when there are no containers."""
    if not entries:
        return
    print(f"{'VMID':<10} {'Status':<10} {'Lock':<12} {'Name':<20}")
    for entry in sorted(entries, key=lambda entry: entry["vmid"]):
        print(f"{entry['vmid']:<10} {entry['status']:<10} {entry.get('lock', ''):<12} {entry['name']:<20}")


def show_status(call: Call) -> None:
    """`pct status`."""
    guest_id = call.params["vmid"]
    LXC.load(guest_id)
    status = container_status(guest_id)
    if not call.params.get("verbose"):
        print(f"status: {status['status']}")
        return
    for key in sorted(status):
        print(f"{key}: {status[key]}")


def unlock(call: Call) -> None:
    """`pct unlock`: forget the `lock` key."""
    guest_id = call.params["vmid"]
    with LXC.lock(guest_id):
        config = LXC.load(guest_id)
        if config.values.pop("lock", None) is not None:
            LXC.save(guest_id, config)


COMMANDS: dict[str, Any] = {
    "list": Command("GET", "/nodes/{node}/lxc", fixed=NODE, output=print_list, group=API),
    "config": Command(
        "GET", "/nodes/{node}/lxc/{vmid}/config", arguments=("vmid",), fixed=NODE, output=print_config, group=CONFIG
    ),
    "pending": Command(
        "GET", "/nodes/{node}/lxc/{vmid}/pending", arguments=("vmid",), fixed=NODE, group=CONFIG,
        output=lambda entries, _method, _options: print_pending(entries),
    ),
    "set": Command("PUT", "/nodes/{node}/lxc/{vmid}/config", arguments=("vmid",), fixed=NODE, group=CONFIG),
    "create": Command(
        "POST", "/nodes/{node}/lxc", arguments=("vmid", "ostemplate"), fixed=NODE, output=exit_with_task, group=API
    ),
    "destroy": Command(
        "DELETE", "/nodes/{node}/lxc/{vmid}", arguments=("vmid",), fixed=NODE, output=exit_with_task, group=API
    ),
    "start": Command(
        "POST", f"{ONE}/status/start", arguments=("vmid",), fixed=NODE, output=exit_with_task, group=STATUS
    ),
    "stop": Command(
        "POST", f"{ONE}/status/stop", arguments=("vmid",), fixed=NODE, output=exit_with_task, group=STATUS
    ),
    "shutdown": Command(
        "POST", f"{ONE}/status/shutdown", arguments=("vmid",), fixed=NODE, output=exit_with_task, group=STATUS
    ),
    "reboot": Command(
        "POST", f"{ONE}/status/reboot", arguments=("vmid",), fixed=NODE, output=exit_with_task, group=STATUS
    ),
    "clone": Command(
        "POST", f"{ONE}/clone", arguments=("vmid", "newid"), fixed=NODE, output=exit_with_task, group=API
    ),
    "template": Command("POST", f"{ONE}/template", arguments=("vmid",), fixed=NODE, group=API),
    "resize": Command("PUT", f"{ONE}/resize", arguments=("vmid", "disk", "size"), fixed=NODE, group=API),
    "move-volume": Command(
        "POST", f"{ONE}/move_volume", arguments=("vmid", "volume", "storage"), fixed=NODE, output=exit_with_task, group=API
    ),
    "status": Command(
        function=show_status, arguments=("vmid",), group=OWN,
        parameters={"vmid": VMID, "verbose": Boolean(optional=True)},
    ),
    "unlock": Command(function=unlock, arguments=("vmid",), group=OWN, parameters={"vmid": VMID}),
}  # fmt: skip


NOT_EMULATED = (
    "suspend", "resume", "migrate", "restore",
    "snapshot", "delsnapshot", "listsnapshot", "rollback", "exec", "enter", "console", "push", "pull", "df", "fsck", "fstrim",
    "mount", "unmount", "rescan", "cpusets",
)  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Run one command."""
    refused = refuse("pct", argv, NOT_EMULATED)
    if refused:
        return refused
    return run_command("pct", COMMANDS, argv)
