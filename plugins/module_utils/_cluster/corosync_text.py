# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text form of corosync.conf: sections in sections, and values. Order is kept, so what was read is written the same.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

_KEY = re.compile(r"([A-Za-z0-9_.]+)\s*:\s*(.*)")
_OPENING = re.compile(r"([A-Za-z0-9_.]+)\s*\{")


@dataclass
class Section:
    """The entries of a section: a value or a subsection under a name; subsections may repeat (C(node), C(interface))."""

    entries: list[tuple[str, str | Section]] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        """The last value under that name wins, as in corosync's own parser."""
        found = None
        for key, entry in self.entries:
            if key == name and isinstance(entry, str):
                found = entry
        return found

    def sections(self, name: str) -> list[Section]:
        return [entry for key, entry in self.entries if key == name and isinstance(entry, Section)]

    def section(self, name: str) -> Section | None:
        found = self.sections(name)
        return found[0] if found else None

    def set_value(self, name: str, value: str) -> None:
        """Replace the value where it stands, or put it in the place where PVE's sorted files have it."""
        for index, (key, entry) in enumerate(self.entries):
            if key == name and isinstance(entry, str):
                self.entries[index] = (name, value)
                return
        position = next((index for index, (key, _entry) in enumerate(self.entries) if key > name), len(self.entries))
        self.entries.insert(position, (name, value))


def parse_corosync_text(text: str) -> Section:
    root = Section()
    open_sections = [root]
    for number, raw_line in enumerate(text.split("\n"), start=1):
        line = raw_line.strip()
        if not line or line.startswith("#"):
            continue
        if line == "}":
            if len(open_sections) == 1:
                raise UnreadableText(f"corosync.conf line {number}: '}}' without an open section.")
            open_sections.pop()
            continue
        opening = _OPENING.fullmatch(line)
        if opening:
            section = Section()
            open_sections[-1].entries.append((opening[1], section))
            open_sections.append(section)
            continue
        value = _KEY.fullmatch(line)
        if not value:
            raise UnreadableText(f"corosync.conf line {number} is neither a value nor a section: {line!r}.")
        open_sections[-1].entries.append((value[1], value[2]))
    if len(open_sections) > 1:
        raise UnreadableText("corosync.conf ends within a section; it is cut off.")
    return root


def format_corosync_text(root: Section) -> str:
    return _format(root, "")


def _format(section: Section, indent: str) -> str:
    text = ""
    for name, entry in section.entries:
        if isinstance(entry, str):
            text += f"{indent}{name}: {entry}\n"
        else:
            text += f"{indent}{name} {{\n{_format(entry, indent + '  ')}{indent}}}\n"
            # PVE puts an empty line behind each outer section.
            text += "" if indent else "\n"
    return text
