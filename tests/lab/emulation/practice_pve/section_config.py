# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PVE's section configuration files: `type: id` and indented `key value` lines (storage.cfg, ha/resources.cfg ...)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_HEADER = re.compile(r"(\S+):\s*(\S+)\s*")
_LINE = re.compile(r"\s+(\S+)(?:\s+(.*?))?\s*")
# type -> its required and its optional keys
KeysOfType = Callable[[str], tuple[Iterable[str], Iterable[str]]]


@dataclass
class Section:
    """One section; values are the texts of the file, a key without a value counts as 1."""

    type: str
    name: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class SectionConfig:
    """A file's sections in their order."""

    sections: dict[str, Section] = field(default_factory=dict)
    digest: str = ""


def parse_sections(text: str) -> SectionConfig:
    """Read a file; a line that fits nowhere is skipped, as PVE does with a warning."""
    config = SectionConfig(digest=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
    section: Section | None = None
    for line in text.split("\n"):
        if not line.strip():
            section = None
        elif line.startswith("#"):
            continue
        elif section is None:
            header = _HEADER.fullmatch(line)
            if header:
                section = config.sections[header[2]] = Section(header[1], header[2])
        else:
            match = _LINE.fullmatch(line)
            if match:
                section.values[match[1]] = "1" if match[2] is None else match[2]
    return config


def render_sections(config: SectionConfig, keys_of_type: KeysOfType) -> str:
    """The file's text: comment, disable, required keys sorted, then the others sorted; one empty line after each."""
    text = ""
    for section in config.sections.values():
        required, optional = keys_of_type(section.type)
        text += f"{section.type}: {section.name}\n"
        values = section.values
        if values.get("comment"):
            text += f"\tcomment {values['comment']}\n"
        if values.get("disable", "0") not in ("0", ""):
            text += "\tdisable\n"
        first = sorted(required)
        rest = sorted(set(values) - set(first) - {"comment", "disable"}) if optional is None else sorted(optional)
        for key in first + [key for key in rest if key not in first]:
            if key in values and key not in ("comment", "disable"):
                text += f"\t{key} {values[key]}\n"
        text += "\n"
    return text
