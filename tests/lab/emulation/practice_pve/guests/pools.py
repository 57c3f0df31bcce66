# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests as members of pools, which live in user.cfg."""

from __future__ import annotations

from collections.abc import Callable

from practice_pve.access import files, user_config
from practice_pve.rest.errors import ApiError


def assert_exists(pool: str) -> None:
    """Refuse a pool that nobody made."""
    if pool not in user_config.load().pools:
        # PVE::Exception without a 400: the number is part of the text on the command line
        raise ApiError(f"Permission check failed (pool '{pool}' does not exist)", status=403)


def change(action: Callable[[user_config.UserConfig], object], failure: str = "") -> None:
    """Change user.cfg under its lock."""
    with files.locked(user_config.NAME, failure):
        config = user_config.load()
        if action(config) is not False:
            user_config.save(config)


def add_guest(pool: str, guest_id: int) -> None:
    """Put a new guest into a pool."""

    def add(config: user_config.UserConfig) -> object:
        if pool not in config.pools:
            return False
        config.pools[pool].vms.add(guest_id)
        return True

    change(add)


def remove_guest(guest_id: int) -> None:
    """Take a destroyed guest out of its pool; user.cfg stays untouched when it is in none."""
    if not any(guest_id in pool.vms for pool in user_config.load().pools.values()):
        return

    def remove(config: user_config.UserConfig) -> object:
        for pool in config.pools.values():
            pool.vms.discard(guest_id)
        return True

    change(remove)
