# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks single properties out of guest configurations: fast answers for lists (name, lock, tags ...)."""

from __future__ import annotations


def property_values(config: bytes, names: list[str]) -> dict[str, str]:
    """Values of the current configuration only: what follows the first section header is a snapshot or pending."""
    found: dict[str, str] = {}
    for line in config.decode(errors="surrogateescape").split("\n"):
        if line.startswith("["):
            break
        name, colon, value = line.partition(":")
        if colon and name in names and value.strip():
            found[name] = value.strip()
    return {name: found[name] for name in names if name in found}
