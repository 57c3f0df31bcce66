# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration seen with its pending changes."""

from __future__ import annotations

from practice_pve.guests.config_file import GuestConfig, Values, encode_text
from practice_pve.guests.values import HIDDEN


def apply_to_view(config: GuestConfig) -> Values:
    """The values as they will be after the next start."""
    values = dict(config.values)
    for key in config.pending_deletions():
        values.pop(key, None)
    values.update({key: value for key, value in config.pending.items() if key != "delete"})
    return values


def pending_view(config: GuestConfig) -> list[dict]:
    """Key by key: the value, what is pending, whether it is going to be deleted (2: with its volume)."""
    deletions = config.pending_deletions()
    entries = []
    for key in sorted({*config.values, *config.pending} - {"delete"}):
        entry: dict = {"key": key}
        if key in config.values:
            entry["value"] = config.values[key]
        if key in config.pending:
            entry["pending"] = config.pending[key]
        if key in deletions:
            entry["delete"] = 2 if deletions[key] else 1
        if key == "cipassword":
            entry.update({name: HIDDEN for name in ("value", "pending") if name in entry})
        entries.append(entry)
    entries.append({"key": "digest", "value": config.digest})
    return entries


def print_pending(entries: list[dict]) -> None:
    """The lines of `qm pending`: cur, new and del, sorted by key."""
    for entry in sorted(entries, key=lambda entry: entry["key"]):
        key = entry["key"]
        if key == "digest":
            continue
        shown = {
            name: encode_text(str(entry[name])) if key == "description" else entry[name]
            for name in ("value", "pending")
            if name in entry
        }
        if "value" in shown:
            print(f"{'del' if entry.get('delete') else 'cur'} {key}: {shown['value']}")
        if "pending" in shown and not entry.get("delete"):
            print(f"new {key}: {shown['pending']}")
