# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""qm: virtual machines of this node."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from practice_pve import settings
from practice_pve.commands import qm_guest
from practice_pve.commands.refusal import refuse
from practice_pve.guests import formats, machine  # noqa: F401 - the formats register themselves
from practice_pve.guests.config_file import encode_text
from practice_pve.guests.disks import add_unused, import_file
from practice_pve.guests.hotplug import apply_pending, hotplug_pending
from practice_pve.guests.pending import print_pending
from practice_pve.guests.snapshot_tree import print_snapshot_tree
from practice_pve.guests.status import machine_status
from practice_pve.guests.store import QEMU
from practice_pve.guests.tables.drives import DRIVES_PER_BUS
from practice_pve.rest import ApiError, Call
from practice_pve.rest.command_line import Alias, Command, exit_with_task, run_command
from practice_pve.rest.parameters import STORAGE_ID, VMID, Boolean, Integer, Text, optional
from practice_pve.storage.definitions import load_storages

API = "PVE::API2::Qemu"
OWN = "PVE::CLI::qm"
NODE = {"node": settings.nodename}
GUEST = "/nodes/{node}/qemu/{vmid}"
_DRIVES = tuple(f"{bus}{index}" for bus in ("ide", "scsi", "virtio", "sata") for index in range(DRIVES_PER_BUS[bus]))


def read_ssh_keys(name: str) -> str:
    """`--sshkeys` names a file on the command line; the API wants its content percent-encoded."""
    try:
        text = Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise ApiError(f"can't open '{name}' - {error.strerror}", exit_code=error.errno or 255) from error
    return quote(text, safe="!'()*-._~")


def print_list(entries: list[dict], _method: Any, _options: dict) -> None:
    """Output of `qm list`; nothing at all when there are no guests."""
    if not entries:
        return
    print(f"{'VMID':>10} {'NAME':<20} {'STATUS':<10} {'MEM(MB)':<10} {'BOOTDISK(GB)':>12} {'PID':<10}")
    for entry in sorted(entries, key=lambda entry: entry["vmid"]):
        state = entry.get("qmpstatus") or entry["status"]
        memory, disk = f"{entry['maxmem'] / 1024**2:.15g}", entry["maxdisk"] / 1024**3
        print(
            f"{entry['vmid']:>10} {entry['name']:<20} {state:<10} {memory:<10} {disk:12.2f} {entry.get('pid', 0):<10}"
        )


def print_config(values: dict, _method: Any, _options: dict) -> None:
    """Output of `qm config`."""
    for key in sorted(values):
        if key != "digest":
            value = encode_text(str(values[key])) if key == "description" else values[key]
            print(f"{key}: {value}")


def show_status(call: Call) -> None:
    """`qm status`."""
    guest_id = call.params["vmid"]
    QEMU.load(guest_id)
    verbose = bool(call.params.get("verbose"))
    status = machine_status(guest_id, full=verbose)
    if not verbose:
        print(f"status: {status.get('qmpstatus') or status['status']}")
        return
    for key in sorted(status.keys() - {"cpu"}):
        if isinstance(status[key], dict):
            print(f"{key}:")
            for name in sorted(status[key]):
                value = status[key][name]
                print(f"\t{name}: {int(value) if isinstance(value, bool) else value}")
        else:
            print(f"{key}: {status[key]}")


def unlock(call: Call) -> None:
    """`qm unlock`: forget the `lock` key."""
    guest_id = call.params["vmid"]
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        if config.values.pop("lock", None) is not None:
            QEMU.save(guest_id, config)


def wait(call: Call) -> None:
    """`qm wait`: until the machine stops."""
    guest_id, timeout = call.params["vmid"], call.params.get("timeout", 0)
    pid = machine.pid_of(guest_id)
    if pid is None:
        return
    print(f"waiting until VM {guest_id} stops (PID {pid})", flush=True)
    end = time.monotonic() + timeout
    while machine.pid_of(guest_id) == pid:
        if timeout and time.monotonic() >= end:
            raise ApiError("wait failed - got timeout", exit_code=25)
        time.sleep(0.2)


def import_disk(call: Call) -> None:
    """`qm disk import`: a file becomes an unused volume, or a drive with --target-disk."""
    guest_id, source, storage = call.params["vmid"], call.params["source"], call.params["storage"]
    target = call.params.get("target-disk")
    config = QEMU.load(guest_id)
    path = Path(source)
    if not path.is_file():
        # stat of a missing file leaves ENOENT behind, that of a directory nothing
        code = 255 if path.exists() else 2
        raise ApiError(f"{source}: non-existent or non-regular file", exit_code=code)
    if target and target in config.values:
        raise ApiError(f"cowardly refusing to overwrite existing entry: {target}")
    storages = load_storages()
    if "images" not in storages.find_enabled(storage).content:
        raise ApiError(f"storage '{storage}' does not support vm images")
    QEMU.assert_unlocked(config)
    print(f"importing disk '{source}' to VM {guest_id} ...")
    volume_id, _size = import_file(storages, str(path), storage, guest_id, call.params.get("format"))
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        try:
            if target:
                config.pending[target] = volume_id
                QEMU.save(guest_id, config)
                if machine.is_running(guest_id):
                    hotplug_pending(guest_id, config, {target: True})
                else:
                    apply_pending(guest_id, config)
            else:
                target = add_unused(config.values, volume_id)
                QEMU.save(guest_id, config)
        except ApiError as error:
            # the copied volume stays behind: PVE does not clean up here
            raise ApiError(error.message, exit_code=25) from error
    print(f"{target}: successfully imported disk '{volume_id}'")


def rescan(call: Call) -> None:
    """`qm disk rescan`: sizes in the configuration follow the volumes; lost volumes become unused."""
    from practice_pve.guests.rescan import rescan_machines

    if call.params.get("dryrun"):
        print("NOTE: running in dry-run mode, won't write changes out!")
    print("rescan volumes...")
    rescan_machines(call.params.get("vmid"), dry_run=bool(call.params.get("dryrun")))


def _api(http_method: str, path: str, *arguments: str, **more: Any) -> Command:
    return Command(http_method, GUEST + path, arguments=arguments, fixed=NODE, group=more.pop("group", API), **more)


_KEYS_FROM_FILE = {"sshkeys": read_ssh_keys}
COMMANDS: dict[str, Any] = {
    "list": Command("GET", "/nodes/{node}/qemu", fixed=NODE, output=print_list, group=API),
    "create": Command(
        "POST", "/nodes/{node}/qemu", arguments=("vmid",), fixed=NODE, output=exit_with_task, group=API,
        mapping=_KEYS_FROM_FILE,
    ),
    "destroy": _api("DELETE", "", "vmid", output=exit_with_task),
    "clone": _api("POST", "/clone", "vmid", "newid", output=exit_with_task),
    "migrate": _api("POST", "/migrate", "vmid", "target", output=exit_with_task),
    "set": _api("PUT", "/config", "vmid", mapping=_KEYS_FROM_FILE),
    "config": _api("GET", "/config", "vmid", output=print_config),
    "pending": _api("GET", "/pending", "vmid", output=lambda entries, _method, _options: print_pending(entries)),
    "status": Command(
        function=show_status, arguments=("vmid",), group=OWN,
        parameters={"vmid": VMID, "verbose": Boolean(optional=True)},
    ),
    "snapshot": _api("POST", "/snapshot", "vmid", "snapname", output=exit_with_task),
    "delsnapshot": _api("DELETE", "/snapshot/{snapname}", "vmid", "snapname", output=exit_with_task),
    "listsnapshot": _api(
        "GET", "/snapshot", "vmid", output=lambda entries, _method, _options: print_snapshot_tree(entries)
    ),
    "rollback": _api("POST", "/snapshot/{snapname}/rollback", "vmid", "snapname", output=exit_with_task),
    "template": _api("POST", "/template", "vmid"),
    **{
        name: _api("POST", f"/status/{name}", "vmid", output=exit_with_task)
        for name in ("start", "stop", "reset", "shutdown", "reboot", "suspend", "resume")
    },
    "sendkey": _api("PUT", "/sendkey", "vmid", "key"),
    "wait": Command(
        function=wait, arguments=("vmid",), group=OWN,
        parameters={"vmid": VMID, "timeout": Integer(optional=True, minimum=1)},
    ),
    "unlock": Command(function=unlock, arguments=("vmid",), group=OWN, parameters={"vmid": VMID}),
    "importdisk": Alias("disk import"),
    "move-disk": Alias("disk move"),
    "move_disk": Alias("disk move"),
    "rescan": Alias("disk rescan"),
    "resize": Alias("disk resize"),
    "unlink": Alias("disk unlink"),
    "disk": {
        "import": Command(
            function=import_disk, arguments=("vmid", "source", "storage"), group=OWN,
            parameters={
                "vmid": VMID,
                "source": Text(),
                "storage": STORAGE_ID,
                "format": Text(optional=True, enum=("raw", "qcow2", "vmdk")),
                "target-disk": Text(optional=True, enum=_DRIVES),
            },
        ),
        "move": _api("POST", "/move_disk", "vmid", "disk", "storage", output=exit_with_task),
        "rescan": Command(
            function=rescan, group=OWN,
            parameters={"vmid": optional(VMID), "dryrun": Boolean(optional=True, default=0)},
        ),
        "resize": _api("PUT", "/resize", "vmid", "disk", "size"),
        "unlink": _api("PUT", "/unlink", "vmid"),
    },
    "agent": Alias("guest cmd"),
    "guest": qm_guest.COMMANDS,
    "cloudinit": {
        "dump": _api(
            "GET", "/cloudinit/dump", "vmid", "type", output=lambda text, _method, _options: print(text)
        ),
        "pending": _api(
            "GET", "/cloudinit", "vmid", output=lambda entries, _method, _options: print_pending(entries)
        ),
        "update": _api("PUT", "/cloudinit", "vmid"),
    },
}  # fmt: skip


NOT_EMULATED = (
    "remote-migrate", "showcmd", "vncproxy", "enroll-efi-keys", "monitor", "mtunnel",
    "nbdstop", "terminal", "importovf", "cleanup", "import",
)  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Run one command."""
    refused = refuse("qm", argv, NOT_EMULATED)
    if refused:
        return refused
    return run_command("qm", COMMANDS, argv)
