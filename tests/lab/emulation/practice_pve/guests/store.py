# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guest configurations in /etc/pve: finding, loading, saving, creating, moving, removing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from practice_pve import settings
from practice_pve.guests.config_file import (
    CONTAINER,
    MACHINE,
    Dialect,
    GuestConfig,
    parse_config,
    render_config,
)
from practice_pve.guests.drives import drives_of
from practice_pve.guests.locks import guest_lock
from practice_pve.guests.tables.container_options import FILE_OPTIONS as CONTAINER_OPTIONS
from practice_pve.guests.tables.machine_options import FILE_OPTIONS as MACHINE_OPTIONS
from practice_pve.guests.values import check_value
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError
from practice_pve.rest.parameters import Parameter

# errno left over in the real programs when a file is missing
ENOENT = 2


@dataclass(frozen=True)
class GuestKind:
    """Virtual machines or containers."""

    type: str
    directory: str
    noun: str
    dialect: Dialect
    options: dict[str, Parameter]

    def path(self, guest_id: int, node: str | None = None) -> str:
        """The configuration's path below /etc/pve."""
        return f"nodes/{node or settings.nodename()}/{self.directory}/{guest_id}.conf"

    def check(self) -> Callable[[str, str], object]:
        """The check that the file parser wants."""
        return lambda key, text: check_value(self.options, key, text)

    def lock(self, guest_id: int, *, timeout: float = 10, shared: bool = False) -> AbstractContextManager[None]:
        """The guest's flock."""
        return guest_lock(self.type, guest_id, timeout=timeout, shared=shared)

    def load(self, guest_id: int, node: str | None = None) -> GuestConfig:
        """Read a configuration or fail with PVE's words."""
        path = self.path(guest_id, node)
        text = client.read(path)
        if text is None:
            raise ApiError(f"Configuration file '{path}' does not exist", exit_code=ENOENT)
        return parse_config(text, self.dialect, guest_id, self.check())

    def save(self, guest_id: int, config: GuestConfig) -> None:
        """Write a configuration; unused volumes that are attached again leave the list of unused ones."""
        if self.type == "qemu":
            used = {drive.file for drive in drives_of(config.values)}
            for key in [key for key in config.values if key.startswith("unused")]:
                if config.values[key] in used:
                    del config.values[key]
        client.write(self.path(guest_id), render_config(config, self.dialect))

    def create_locked(self, guest_id: int) -> None:
        """Reserve an id: a configuration that holds nothing but `lock: create`."""
        client.assert_quorum()
        with self.lock(guest_id):
            assert_free(guest_id)
            client.write(self.path(guest_id), "lock: create\n")

    def remove(self, guest_id: int) -> None:
        """Delete the configuration file."""
        client.remove(self.path(guest_id))

    def exists(self, guest_id: int) -> bool:
        """True when this node has the guest."""
        return client.read(self.path(guest_id)) is not None

    def ids(self) -> list[int]:
        """This node's guests of this kind."""
        node = settings.nodename()
        return sorted(
            guest_id for guest_id, entry in guest_list().items() if entry["type"] == self.type and entry["node"] == node
        )

    def assert_unlocked(self, config: GuestConfig) -> None:
        """Refuse to work on a guest with a `lock:` key."""
        lock = config.values.get("lock")
        if lock:
            raise ApiError(f"{self.noun} is locked ({lock})")

    def assert_not_protected(self, config: GuestConfig, what: str) -> None:
        """Refuse to remove what is protected."""
        if config.values.get("protection"):
            raise ApiError(f"{what} - protection mode enabled")


QEMU = GuestKind("qemu", "qemu-server", "VM", MACHINE, MACHINE_OPTIONS)
LXC = GuestKind("lxc", "lxc", "CT", CONTAINER, CONTAINER_OPTIONS)


def guest_list() -> dict[int, dict]:
    """Every guest of the cluster: id -> {"type", "node", "version"}, from .vmlist."""
    text = client.read(".vmlist")
    ids = json.loads(text).get("ids", {}) if text else {}
    return {int(guest_id): entry for guest_id, entry in ids.items()}


def assert_free(guest_id: int) -> None:
    """Refuse an id that any node of the cluster uses."""
    entry = guest_list().get(guest_id)
    if entry:
        noun = {"qemu": "VM", "lxc": "CT"}.get(entry["type"], "VM")
        raise ApiError(f"{noun} {guest_id} already exists on node '{entry['node']}'")


def next_free_id(wanted: int | None = None) -> int | None:
    """The wanted id when it is free, the lowest free one when none is wanted, else None."""
    taken = guest_list()
    if wanted is not None:
        return None if wanted in taken else wanted
    lower, upper = _id_range()
    return next((candidate for candidate in range(lower, upper) if candidate not in taken), None)


def _id_range() -> tuple[int, int]:
    """Limits from datacenter.cfg's `next-id: lower=...,upper=...`."""
    match = re.search(r"^next-id:\s*(.*)$", client.read("datacenter.cfg") or "", re.MULTILINE)
    words = dict(part.split("=", 1) for part in match[1].split(",") if "=" in part) if match else {}
    return int(words.get("lower", 100)), int(words.get("upper", 1000000))
