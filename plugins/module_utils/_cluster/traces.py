# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a member that is gone is still named, and the text without it. Pure functions over the files' texts.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ConfigSection:
    """One section of PVE's configuration files: C(type: name) and indented properties."""

    kind: str
    name: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """A section that names members that are gone. C(left): the members that remain in its list."""

    kind: str
    name: str
    left: tuple[str, ...]


def read_sections(text: str) -> list[ConfigSection]:
    sections: list[ConfigSection] = []
    for line in text.splitlines():
        heading = re.fullmatch(r"([A-Za-z][\w-]*):\s*(\S+)\s*", line)
        if heading:
            sections.append(ConfigSection(heading[1], heading[2]))
        elif sections and line[:1] in (" ", "\t") and line.strip():
            key, _blank, value = line.strip().partition(" ")
            sections[-1].values[key] = value.strip()
    return sections


def references_to(text: str, gone: Collection[str]) -> list[Reference]:
    """Storages, HA rules and HA groups whose C(nodes) list has one of the gone; a priority (C(pve1:2)) is kept."""
    found = []
    for section in read_sections(text):
        names = [entry for entry in section.values.get("nodes", "").replace(";", ",").split(",") if entry]
        left = tuple(entry for entry in names if entry.partition(":")[0] not in gone)
        if len(left) < len(names):
            found.append(Reference(section.kind, section.name, left))
    return found


def replication_jobs_to(text: str, gone: Collection[str]) -> list[str]:
    """The ids of replication jobs that would send to, or come from, a node that is gone."""
    return [
        section.name
        for section in read_sections(text)
        if section.values.get("target") in gone or section.values.get("source") in gone
    ]


def authorized_keys_without(text: str, gone: Collection[str], own_key: str) -> str:
    """Drop the keys that PVE made for the gone nodes (C(ssh-rsa ... root@NAME)); never this node's own key."""
    comments = {f"root@{name}" for name in gone}
    own = own_key.split()[1:2]

    def is_gone(line: str) -> bool:
        words = line.split()
        return len(words) == 3 and words[0] == "ssh-rsa" and words[2] in comments and words[1:2] != own

    return _joined(line for line in text.splitlines() if not is_gone(line))


def known_hosts_without(text: str, gone: Collection[str]) -> str:
    """Drop the lines of the gone names and addresses; a line for several hosts keeps the others.

    A name stands for itself with any domain, too.
    """
    lowered = {name.lower() for name in gone}

    def is_gone(host: str) -> bool:
        return host.lower() in lowered or host.lower().partition(".")[0] in lowered

    def kept() -> Iterator[str]:
        for line in text.splitlines():
            hosts, blank, key = line.partition(" ")
            if not blank or line.startswith(("#", "@", "|")):
                yield line
                continue
            left = [host for host in hosts.split(",") if not is_gone(host)]
            if left:
                yield f"{','.join(left)} {key}"

    return _joined(kept())


def _joined(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
