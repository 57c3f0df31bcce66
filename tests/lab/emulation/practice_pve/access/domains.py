# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication realms: pam and pve always exist, others come from domains.cfg."""

from __future__ import annotations

from typing import Any

from . import files

NAME = "domains.cfg"
BUILT_IN: dict[str, dict[str, Any]] = {
    "pve": {"type": "pve", "comment": "Proxmox VE authentication server"},
    "pam": {"type": "pam", "comment": "Linux PAM standard authentication"},
}


def load() -> dict[str, dict[str, Any]]:
    """Return realm -> its settings."""
    realms: dict[str, dict[str, Any]] = {name: dict(settings) for name, settings in BUILT_IN.items()}
    current: dict[str, Any] | None = None
    for line in (files.read_text(NAME) or "").splitlines():
        if line[:1] not in ("", " ", "\t", "#") and ":" in line:
            kind, _, name = line.partition(":")
            current = realms.setdefault(name.strip(), {})
            current["type"] = kind.strip()
        elif line.strip() and current is not None:
            key, _, value = line.strip().partition(" ")
            current[key] = value.strip() or 1
    return realms


def realm_type(realm: str) -> str | None:
    """Return pam, pve, ldap ..., None for an unknown realm."""
    settings = load().get(realm)
    return settings["type"] if settings else None
