# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of /etc/pve/nodes/N/qemu-server/ID.conf and lxc/ID.conf, read and written as PVE does.

A file has a main part, pending changes, internal special sections and one section per snapshot. Within a section the
description stands first as comment lines, then the keys sorted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes

Values = dict[str, object]
# (key, text) -> value; raises ValueError with PVE's reason
CheckValue = Callable[[str, str], object]

_KEY_LINE = re.compile(r"([a-z][a-z0-9_\-]*?\d*):\s*(.+?)\s*")
_SECTION_LINE = re.compile(r"\[([^\]]*)\]\s*")
_SNAPSHOT_NAME = re.compile(r"[a-z][a-z0-9_\-]+", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """What differs between the files of virtual machines and of containers."""

    noun: str
    pending_section: str
    special_sections: tuple[str, ...] = ()


MACHINE = Dialect("vm", "PENDING", ("cloudinit", "fleecing"))
CONTAINER = Dialect("vm", "pve:pending")


@dataclass
class GuestConfig:
    """A parsed configuration file."""

    values: Values = field(default_factory=dict)
    pending: Values = field(default_factory=dict)
    special: dict[str, Values] = field(default_factory=dict)
    snapshots: dict[str, Values] = field(default_factory=dict)
    # lines such as `lxc.cap.drop: ...` keep their order and may repeat
    raw: list[tuple[str, str]] = field(default_factory=list)
    digest: str = ""
    warnings: list[str] = field(default_factory=list)

    def pending_deletions(self) -> dict[str, bool]:
        """Keys to delete at the next start; True where the volume goes too (written as `!key`)."""
        text = str(self.pending.get("delete", ""))
        return {word.lstrip("!"): word.startswith("!") for word in re.split(r"[,;\s]+", text) if word}

    def set_pending_deletions(self, deletions: dict[str, bool]) -> None:
        """Replace the list of keys to delete."""
        words = [("!" if force else "") + key for key, force in sorted(deletions.items())]
        if words:
            self.pending["delete"] = ",".join(words)
        else:
            self.pending.pop("delete", None)


def parse_config(text: str, dialect: Dialect, guest_id: int, check: CheckValue) -> GuestConfig:
    """Read a file; what cannot be understood is left out with a warning, as PVE does."""
    config = GuestConfig(digest=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
    target: Values | None = config.values
    notes: dict[int, list[str]] = {}
    in_pending = unchecked = False
    owners: list[Values] = [config.values]
    for line in text.split("\n"):
        if not line.strip():
            continue
        section = _SECTION_LINE.fullmatch(line)
        if section:
            target, in_pending, unchecked = _open_section(config, section[1], dialect, guest_id)
            if target is not None:
                owners.append(target)
            continue
        if target is None:
            continue
        if line.startswith("#"):
            notes.setdefault(id(target), []).append(decode_text(line[1:]) + "\n")
            continue
        raw = re.fullmatch(r"(lxc\.[A-Za-z0-9_\-.]+)\s*[:=]\s*(.*?)\s*", line)
        if raw and dialect is CONTAINER:
            config.raw.append((raw[1], raw[2]))
            continue
        match = _KEY_LINE.fullmatch(line)
        if not match:
            config.warnings.append(f"{dialect.noun} {guest_id} - unable to parse config: {line}")
            continue
        key, value = match[1], match[2]
        if key == "description":
            notes.setdefault(id(target), []).append(decode_text(value))
        elif (key == "delete" and in_pending) or key == "snapstate" or unchecked:
            target[key] = value
        else:
            try:
                target["ide2" if key == "cdrom" else key] = check(key, value)
            except ValueError as error:
                config.warnings.append(f"{dialect.noun} {guest_id} - unable to parse value of '{key}' - {error}")
    for owner in owners:
        if id(owner) in notes:
            owner["description"] = "".join(notes[id(owner)]).rstrip()
    return config


def _open_section(config: GuestConfig, name: str, dialect: Dialect, guest_id: int) -> tuple[Values | None, bool, bool]:
    if name.lower() == dialect.pending_section.lower():
        return config.pending, True, False
    special = name.removeprefix("special:")
    if special != name and special in dialect.special_sections:
        return config.special.setdefault(special, {}), False, True
    if _SNAPSHOT_NAME.fullmatch(name):
        return config.snapshots.setdefault(name, {}), False, False
    config.warnings.append(f"{dialect.noun} {guest_id} - skipping unknown section: '{name}'")
    return None, False, False


def render_config(config: GuestConfig, dialect: Dialect) -> str:
    """The text of the file."""
    text = _render_section(config.values, pending=False)
    text += "".join(f"{key}: {value}\n" for key, value in config.raw)
    if config.pending:
        text += f"\n[{dialect.pending_section}]\n" + _render_section(config.pending, pending=True)
    for name in sorted(config.special):
        text += f"\n[special:{name}]\n" + _render_section(config.special[name], pending=False)
    for name in sorted(config.snapshots):
        text += f"\n[{name}]\n" + _render_section(config.snapshots[name], pending=False)
    return text


def _render_section(values: Values, *, pending: bool) -> str:
    text = ""
    description = values.get("description")
    if description:
        lines = str(description).split("\n")
        while lines and not lines[-1]:
            lines.pop()
        text += "".join(f"#{encode_text(line)}\n" for line in lines)
    elif description is not None and pending:
        text += "#\n"
    return text + "".join(f"{key}: {values[key]}\n" for key in sorted(values) if key != "description")


def encode_text(text: str) -> str:
    """Escape control characters, non-ASCII and colons, as PVE does in descriptions."""
    safe = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != ":")
    return quote(text, safe=safe)


def decode_text(text: str) -> str:
    """Undo encode_text."""
    return unquote_to_bytes(text).decode("utf-8", "replace")
