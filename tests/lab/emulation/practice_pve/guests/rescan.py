# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`qm disk rescan`: make configurations follow what is on the storages."""

from __future__ import annotations

from practice_pve import settings
from practice_pve.guests.disks import add_unused
from practice_pve.guests.drives import drives_of
from practice_pve.guests.sizes import format_size
from practice_pve.guests.store import QEMU
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages


def rescan_machines(only: int | None, *, dry_run: bool) -> None:
    """Correct the sizes of drives and list volumes that no key names as unused."""
    storages = load_storages()
    for guest_id in [only] if only else QEMU.ids():
        with QEMU.lock(guest_id):
            config = QEMU.load(guest_id)
            changed = False
            known = {drive.file for values in (config.values, config.pending) for drive in drives_of(values)}
            known |= {str(value) for key, value in config.values.items() if key.startswith("unused")}
            known |= {str(values.get("vmstate")) for values in (config.values, *config.snapshots.values())}
            for drive in drives_of(config.values):
                if drive.is_cdrom or not drive.storage:
                    continue
                info = volumes.info_of(storages, drive.file)
                if info and info.size != drive.size:
                    old = format_size(drive.size or 0)
                    drive.size = info.size
                    config.values[drive.name] = drive.text()
                    print(
                        f"VM {guest_id} ({drive.name}): size of disk '{drive.file}' updated from {old} to {format_size(info.size)}"
                    )
                    changed = True
            for storage in storages.storages.values():
                if storage.kind.emulated and not storage.is_disabled and storage.is_on_node(settings.nodename()):
                    for entry in volumes.list_images(storage, guest_id):
                        if entry["volid"] not in known:
                            key = add_unused(config.values, entry["volid"])
                            print(f"VM {guest_id} add unreferenced volume '{entry['volid']}' as '{key}' to config")
                            changed = True
            if changed and not dry_run:
                QEMU.save(guest_id, config)
