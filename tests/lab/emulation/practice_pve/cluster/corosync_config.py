# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""corosync.conf as PVE reads and writes it: nested sections, nodes by name, interfaces by link number, sorted keys."""

from __future__ import annotations

import copy
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from practice_pve.rest.errors import ApiError

MAX_LINK_INDEX = 7
REPEATED_SECTIONS = ("node", "interface")
LINK_ADDRESS = re.compile(r"^(ring|link)(\d+)_addr$")

Section = dict[str, Any]


@dataclass
class CorosyncConfig:
    """`main` is None for a missing or empty file, which PVE treats as "no cluster" and not as an error."""

    main: Section | None = None
    digest: str = ""

    @property
    def nodes(self) -> dict[str, Section] | None:
        """The node sections by name; None when there is no configuration at all."""
        if self.main is None:
            return None
        nodes: dict[str, Section] | None = self.main.get("nodelist", {}).get("node")
        return nodes

    @property
    def totem(self) -> Section | None:
        if self.main is None:
            return None
        totem: Section | None = self.main.get("totem")
        return totem

    @property
    def interfaces(self) -> dict[str, Section]:
        interfaces: dict[str, Section] = (self.totem or {}).get("interface") or {}
        return interfaces

    def with_nodes(self, nodes: dict[str, Section]) -> CorosyncConfig:
        main = copy.deepcopy(self.main or {})
        main.setdefault("nodelist", {})["node"] = copy.deepcopy(nodes)
        return CorosyncConfig(main, self.digest)

    def with_next_version(self) -> CorosyncConfig:
        main = copy.deepcopy(self.main or {})
        version = main.get("totem", {}).get("config_version")
        if version is None:
            raise ApiError("invalid corosync config: unable to read config version\n")
        main["totem"]["config_version"] = str(int(version) + 1)
        return CorosyncConfig(main, self.digest)


def parse_config(text: str | None) -> CorosyncConfig:
    if not text:
        return CorosyncConfig()
    digest = hashlib.sha1(text.encode()).hexdigest()
    main = _parse_sections(re.sub(r"#.*", "", text).split())
    if "nodelist" in main:
        nodes = main["nodelist"].get("node", [])
        main["nodelist"]["node"] = {node.get("name", node.get("ring0_addr")): node for node in nodes}
    if "totem" in main:
        interfaces = main["totem"].get("interface", [])
        main["totem"]["interface"] = {link.get("linknumber", link.get("ringnumber")): link for link in interfaces}
    return CorosyncConfig(main, digest)


def _parse_sections(tokens: list[str]) -> Section:
    main: Section = {}
    stack: list[Section] = []
    section = main
    position = 0
    while position < len(tokens):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if following == "{":
            opened: Section = {}
            if token in REPEATED_SECTIONS:
                section.setdefault(token, []).append(opened)
            elif token in section:
                raise ApiError(f"section '{token}' already exists and not marked as array!\n")
            else:
                section[token] = opened
            stack.append(section)
            section = opened
            position += 2
        elif token == "}":
            if not stack:
                raise ApiError("parse error - uncexpected '}'\n")
            section = stack.pop()
            position += 1
        else:
            if not token.endswith(":"):
                raise ApiError(f"missing ':' after key '{token}'\n")
            if following is None:
                raise ApiError(f"parse error - no value for '{token[:-1]}'\n")
            section[token[:-1]] = following
            position += 2
    return main


def format_config(config: CorosyncConfig) -> str:
    """PVE's own layout: keys sorted, two blanks per level, an empty line after each top section."""
    main = copy.deepcopy(config.main or {})
    for name, key in (("nodelist", "node"), ("totem", "interface")):
        named: dict[str, Section] = main.setdefault(name, {}).get(key) or {}
        main[name][key] = [named[entry] for entry in sorted(named)]
    return "".join(_format_section(main, ""))


def _format_section(section: Section, indent: str) -> list[str]:
    lines: list[str] = []
    for key in sorted(section):
        value = section[key]
        for block in value if isinstance(value, list) else [value]:
            if not isinstance(block, dict):
                lines.append(f"{indent}{key}: {block}\n")
                continue
            lines.append(f"{indent}{key} {{\n")
            lines.extend(_format_section(block, indent + "  "))
            lines.append(f"{indent}}}\n")
            if not indent:
                lines.append("\n")
    return lines


def link_numbers(node: Section) -> dict[str, str]:
    """Link number -> address of one node section, for ringN_addr and linkN_addr alike."""
    links: dict[str, str] = {}
    for key, value in node.items():
        if match := LINK_ADDRESS.match(key):
            links[match.group(2)] = value
    return links


def build_first_config(
    node_name: str,
    cluster_name: str,
    links: dict[int, dict[str, Any]],
    node_id: int = 1,
    votes: int = 1,
    token_coefficient: int | None = 125,
) -> CorosyncConfig:
    """The configuration of a one-node cluster before its first write (config_version 0)."""
    node: Section = {"name": node_name, "nodeid": str(node_id), "quorum_votes": str(votes)}
    interfaces: dict[str, Section] = {}
    for number, link in links.items():
        interfaces[str(number)] = {"linknumber": str(number)}
        if link.get("priority"):
            interfaces[str(number)]["knet_link_priority"] = str(link["priority"])
        node[f"ring{number}_addr"] = link["address"]
    totem: Section = {
        "version": "2",
        "secauth": "on",
        "cluster_name": cluster_name,
        "config_version": "0",
        "ip_version": "ipv4-6",
        "link_mode": "passive",
        "interface": interfaces,
    }
    if token_coefficient is not None:
        totem["token_coefficient"] = str(token_coefficient)
    return CorosyncConfig(
        {
            "totem": totem,
            "nodelist": {"node": {node_name: node}},
            "quorum": {"provider": "corosync_votequorum"},
            "logging": {"to_syslog": "yes", "debug": "off"},
        }
    )
