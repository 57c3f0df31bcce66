# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvesm: storages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from practice_pve import settings
from practice_pve.commands.refusal import refuse
from practice_pve.guests import formats  # noqa: F401 - registers pve-volume-id
from practice_pve.guests.formats import split_volume_id
from practice_pve.rest import ApiError, Call, invoke
from practice_pve.rest.command_line import Command, run_command
from practice_pve.rest.parameters import Integer, Text
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages

CONFIG = "PVE::API2::Storage::Config"
CONTENT = "PVE::API2::Storage::Content"
STATUS = "PVE::API2::Storage::Status"
OWN = "PVE::CLI::pvesm"
NODE = {"node": settings.nodename}


def print_status(entries: list[dict], _method: Any, _options: dict) -> None:
    """Output of `pvesm status`: sizes in KiB."""
    width = max((len(entry["storage"]) for entry in entries), default=0) + 1
    print(
        f"{'Name':<{width}} {'Type':>10} {'Status':>10} {'Total (KiB)':>15} {'Used (KiB)':>15} "
        f"{'Available (KiB)':>15} {'%':>8}"
    )
    for entry in sorted(entries, key=lambda entry: entry["storage"]):
        state = "active" if entry["active"] else "inactive" if entry["enabled"] else "disabled"
        sizes = " ".join(f"{entry[key] // 1024:15d}" for key in ("total", "used", "avail"))
        share = (
            f"{entry['used'] * 100 / entry['total'] if entry['total'] else 0:7.2f}%" if entry["enabled"] else "     N/A"
        )
        print(f"{entry['storage']:<{width}} {entry['type']:>10} {state:>10} {sizes} {share}")


def print_content(entries: list[dict], _method: Any, _options: dict) -> None:
    """Output of `pvesm list`: what guests own first."""
    name_width = max((len(entry["volid"]) for entry in entries), default=0)
    size_width = len(str(max((entry["size"] for entry in entries), default=0)))

    def line(name: str, image_format: str, content: str, size: object) -> str:
        return f"{name:<{name_width}} {image_format:<7} {content:<9} {size:>{size_width}}"

    print(f"{line('Volid', 'Format', 'Type', 'Size')} VMID")
    rows = [(line(entry["volid"], entry["format"], entry["content"], entry["size"]), entry) for entry in entries]
    for text, entry in rows:
        if entry.get("vmid"):
            print(f"{text} {entry['vmid']}")
    for text, entry in sorted(rows, key=lambda row: row[1]["format"]):
        if not entry.get("vmid"):
            print(text)


def print_allocated(volume_id: str, _method: Any, _options: dict) -> None:
    """Output of `pvesm alloc`."""
    print(f"successfully created '{volume_id}'")


def show_path(call: Call) -> None:
    """`pvesm path`: where the volume would be; it need not exist."""
    print(volumes.path_of(load_storages(), call.params["volume"]))


def free_volume(call: Call) -> None:
    """`pvesm free`: the same worker as the API's, and as blind to its end."""
    volume_id = call.params["volume"]
    parts = split_volume_id(volume_id)
    if parts is None:
        raise ApiError(f"unable to parse volume ID '{volume_id}'")
    invoke("DELETE", f"/nodes/{call.node}/storage/{parts[0]}/content/{volume_id}", {})


COMMANDS: dict[str, Any] = {
    "add": Command("POST", "/storage", arguments=("type", "storage"), group=CONFIG),
    "set": Command("PUT", "/storage/{storage}", arguments=("storage",), group=CONFIG),
    "remove": Command("DELETE", "/storage/{storage}", arguments=("storage",), group=CONFIG),
    "status": Command("GET", "/nodes/{node}/storage", fixed=NODE, output=print_status, group=STATUS),
    "list": Command(
        "GET", "/nodes/{node}/storage/{storage}/content", arguments=("storage",), fixed=NODE, output=print_content,
        group=CONTENT,
    ),
    "alloc": Command(
        "POST", "/nodes/{node}/storage/{storage}/content", arguments=("storage", "vmid", "filename", "size"),
        fixed=NODE, output=print_allocated, group=CONTENT,
    ),
    "free": Command(
        function=free_volume, arguments=("volume",), parameters={"volume": Text(), "delay": Integer(optional=True)},
        group=CONTENT,
    ),
    "path": Command(function=show_path, arguments=("volume",), parameters={"volume": Text()}, group=OWN),
}  # fmt: skip


NOT_EMULATED = ("scan", "extractconfig", "export", "import", "apiinfo", "prune-backups")


def main(argv: Sequence[str]) -> int:
    """Run one command."""
    refused = refuse("pvesm", argv, NOT_EMULATED)
    if refused:
        return refused
    return run_command("pvesm", COMMANDS, argv)
