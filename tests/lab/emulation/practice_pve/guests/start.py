# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power: start, stop, shutdown, reboot, reset, suspend, resume."""

from __future__ import annotations

import time

from practice_pve.guests import agent, cloudinit_drive, machine
from practice_pve.guests.config_file import GuestConfig
from practice_pve.guests.drives import drives_of
from practice_pve.guests.hotplug import apply_pending
from practice_pve.guests.qemu_command import has_agent_port
from practice_pve.guests.store import QEMU
from practice_pve.guests.tables.machine_parts import CUSTOM_CLOUD_INIT
from practice_pve.guests.values import QEMU_VERSION, memory_of
from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import parse_property_string
from practice_pve.storage import volumes
from practice_pve.storage.definitions import load_storages

SHUTDOWN_SECONDS = 60 * 3
_STATE_KEYS = ("vmstate", "runningmachine", "runningcpu", "running-nets-host-mtu")


def start_machine(guest_id: int, *, skip_lock: bool = False, paused: bool = False) -> None:
    """Start, or resume from a state on disk."""
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        if config.values.get("template"):
            raise ApiError("you can't start a vm if it's a template")
        suspended = config.values.get("lock") == "suspended"
        if not skip_lock and not suspended:
            QEMU.assert_unlocked(config)
        if machine.is_running(guest_id):
            raise ApiError(f"VM {guest_id} already running")
        start_unlocked(guest_id, config, suspended=suspended, paused=paused)


def start_unlocked(guest_id: int, config: GuestConfig, *, suspended: bool = False, paused: bool = False) -> None:
    """Apply pending changes, check the volumes, start the process."""
    if config.pending:
        apply_pending(guest_id, config)
    storages = load_storages()
    if any(drive.is_cloud_init for drive in drives_of(config.values)):
        _assert_snippets(config)
    for drive in drives_of(config.values):
        if drive.file not in ("none", "cdrom"):
            volumes.assert_exists(storages, drive.file)
    if cloudinit_drive.write(guest_id, config):
        QEMU.save(guest_id, config)
    if suspended:
        print("Resuming suspended VM")
        if "net0" in config.values:
            print("netdev net0: using 'host_mtu=1500' for migration compat")
        print(f"activating and using '{config.values.get('vmstate')}' as vmstate")
    machine.start(guest_id, config.values, paused=paused)
    if suspended:
        print("Resumed VM, removing state")
        volumes.free(storages, str(config.values["vmstate"]))
        for key in (*_STATE_KEYS, "lock"):
            config.values.pop(key, None)
        QEMU.save(guest_id, config)


def _assert_snippets(config: GuestConfig) -> None:
    custom = config.values.get("cicustom")
    if custom:
        for volume_id in parse_property_string(CUSTOM_CLOUD_INIT, str(custom)).values():
            volumes.assert_exists(load_storages(), volume_id)


def stop_machine(guest_id: int, *, skip_lock: bool = False) -> None:
    """Cut the power; a stopped machine is fine. The state on disk of a suspended one goes away."""
    with QEMU.lock(guest_id, timeout=60):
        config = QEMU.load(guest_id)
        if not skip_lock and config.values.get("lock") != "suspended":
            QEMU.assert_unlocked(config)
        if machine.is_running(guest_id):
            machine.stop(guest_id)


def shutdown_machine(guest_id: int, timeout: int | None, *, force_stop: bool, skip_lock: bool = False) -> None:
    """Ask the guest to go down: by its agent when that answers, else by ACPI."""
    with QEMU.lock(guest_id, timeout=60):
        config = QEMU.load(guest_id)
        if not skip_lock:
            QEMU.assert_unlocked(config)
        if not machine.is_running(guest_id):
            return
        seconds = SHUTDOWN_SECONDS if timeout is None else timeout
        if has_agent_port(config.values):
            failure = agent.why_silent(guest_id)
            if failure is None:
                agent.ask(guest_id, "guest-shutdown", timeout=seconds)
                went_down = machine.wait_until_down(guest_id, seconds)
            else:
                print(f"QEMU Guest Agent is not running - {failure}")
                went_down = machine.power_down(guest_id, seconds)
        else:
            went_down = machine.power_down(guest_id, seconds)
        if went_down:
            return
        if not force_stop:
            raise ApiError("VM quit/powerdown failed - got timeout")
        print("VM still running - terminating now with SIGTERM")
        machine.stop(guest_id)


def reboot_machine(guest_id: int, timeout: int | None) -> None:
    """Shut down and start again, which applies pending changes."""
    machine.assert_running(guest_id)
    shutdown_machine(guest_id, timeout, force_stop=False)
    with QEMU.lock(guest_id):
        start_unlocked(guest_id, QEMU.load(guest_id))


def reset_machine(guest_id: int, *, skip_lock: bool = False) -> None:
    """Press the reset button: the process and its pending changes stay."""
    with QEMU.lock(guest_id):
        _assert_usable(guest_id, skip_lock=skip_lock)
        machine.reset(guest_id)


def suspend_machine(guest_id: int, *, skip_lock: bool = False) -> None:
    """Pause the virtual CPUs."""
    with QEMU.lock(guest_id):
        _assert_usable(guest_id, skip_lock=skip_lock)
        machine.set_paused(guest_id, True)


def suspend_to_disk(guest_id: int, wanted_storage: str | None) -> None:
    """Save the state to a volume and end the process."""
    with QEMU.lock(guest_id):
        config = QEMU.load(guest_id)
        QEMU.assert_unlocked(config)
        storages = load_storages()
        storage = wanted_storage or state_storage(config)
        name = f"vm-{guest_id}-state-suspend-{time.strftime('%Y-%m-%d')}.raw"
        volume_id = volumes.allocate(storages, storage, guest_id, "raw", state_size(config), name)
        machine.stop(guest_id)
        config.values.update(
            {
                "lock": "suspended",
                "vmstate": volume_id,
                "runningmachine": f"pc-i440fx-{QEMU_VERSION.rpartition('.')[0]}+pve0",
                "runningcpu": "qemu64,+lahf_lm,+sep",
            }
        )
        cards = [f"net{index}=1500" for index in range(32) if f"net{index}" in config.values]
        if cards:
            config.values["running-nets-host-mtu"] = ",".join(cards)
        QEMU.save(guest_id, config)
        print("State saved, quitting")


def resume_machine(guest_id: int, *, skip_lock: bool = False) -> None:
    """Continue the virtual CPUs."""
    with QEMU.lock(guest_id):
        _assert_usable(guest_id, skip_lock=skip_lock)
        machine.set_paused(guest_id, False)


def state_size(config: GuestConfig) -> int:
    """Bytes of a state volume: the memory twice and what QEMU itself needs."""
    return (memory_of(config.values) * 2 + 500) * 1024 * 1024


def state_storage(config: GuestConfig) -> str:
    """Where a saved state goes: the configured storage, else the first disk's."""
    if "vmstatestorage" in config.values:
        return str(config.values["vmstatestorage"])
    shared = [drive.storage for drive in drives_of(config.values) if drive.storage and not drive.is_cdrom]
    return shared[0] if shared else "local"


def _assert_usable(guest_id: int, *, skip_lock: bool) -> None:
    config = QEMU.load(guest_id)
    if not skip_lock:
        QEMU.assert_unlocked(config)
    machine.assert_running(guest_id)
