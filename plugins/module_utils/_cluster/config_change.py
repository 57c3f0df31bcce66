# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another corosync.conf for a cluster that exists: its links, votes and token coefficient. Pure functions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import (
    HIGHEST_LINK,
    CorosyncConfig,
    read_corosync_config,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_text import (
    Section,
    format_corosync_text,
    parse_corosync_text,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused, UnreadableText


@dataclass(frozen=True)
class LinkWish:
    """C(addresses) by node name; a link that the cluster has already needs only those that change."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    # The highest number wins; None leaves it as it is.
    priority: int | None = None


@dataclass(frozen=True)
class ConfigWish:
    """Whatever is not named stays as it is."""

    links: Mapping[int, LinkWish] = field(default_factory=dict)
    removed_links: frozenset[int] = frozenset()
    votes: Mapping[str, int] = field(default_factory=dict)
    token_coefficient: int | None = None


def change_config(text: str, wish: ConfigWish) -> str:
    """The new text, with a version one higher; the very same text if it says already what is wished."""
    root = parse_corosync_text(text)
    before = format_corosync_text(root)
    problems = find_impossible(read_corosync_config(text), wish)
    if problems:
        raise Refused("; ".join(problems) + ".", "Correct the links; nothing was changed.")
    _change_nodes(root, wish)
    _change_totem(root, wish)
    if format_corosync_text(root) == before:
        return text
    after = raise_version(format_corosync_text(root), read_corosync_config(text).config_version)
    _refuse_contradictions(read_corosync_config(after))
    return after


def raise_version(text: str, version: int) -> str:
    """The text with the version that follows C(version); corosync and pmxcfs take only a higher one."""
    root = parse_corosync_text(text)
    _totem(root).set_value("config_version", str(version + 1))
    return format_corosync_text(root)


def find_impossible(config: CorosyncConfig, wish: ConfigWish) -> list[str]:
    """What can be said from the wish and the list of members alone."""
    problems = []
    for number, link in sorted(wish.links.items()):
        if not 0 <= number <= HIGHEST_LINK:
            problems.append(f"link {number}: links have the numbers 0 to {HIGHEST_LINK}")
        if link.priority is not None and not 0 <= link.priority <= 255:
            problems.append(f"link {number}: the priority {link.priority} is not between 0 and 255")
        for address in link.addresses.values():
            if not _is_address(address):
                problems.append(f"link {number}: '{address}' is no IP address")
        strangers = sorted(name for name in link.addresses if config.node(name) is None)
        if strangers:
            problems.append(f"link {number}: {', '.join(strangers)} is no member")
        if number not in config.links:
            given = {name.lower() for name in link.addresses}
            missing = [name for name in config.names if name.lower() not in given]
            if missing:
                problems.append(f"link {number} is new and has no address for {', '.join(missing)}")
    both = sorted(wish.removed_links & set(wish.links))
    if both:
        problems.append(f"link {', '.join(map(str, both))} cannot be set and removed")
    if not (set(config.links) | set(wish.links)) - wish.removed_links:
        problems.append("at least one link has to stay")
    problems += [f"votes: {name} is no member" for name in wish.votes if config.node(name) is None]
    problems += [f"votes: {votes} of {name} is negative" for name, votes in wish.votes.items() if votes < 0]
    if wish.token_coefficient is not None and wish.token_coefficient < 0:
        problems.append("the token coefficient is negative")
    return problems


def new_addresses(before: CorosyncConfig, after: CorosyncConfig) -> dict[str, dict[int, str]]:
    """The addresses that a node has not had for corosync until now, by its name."""
    found = {}
    for node in after.nodes:
        known = before.node(node.name)
        had = set(known.addresses.values()) if known else set()
        added = {number: address for number, address in node.addresses.items() if address not in had}
        if added:
            found[node.name] = added
    return found


def _change_nodes(root: Section, wish: ConfigWish) -> None:
    nodelist = root.section("nodelist")
    for section in nodelist.sections("node") if nodelist else []:
        name = (section.value("name") or "").lower()
        for number, link in wish.links.items():
            address = next((value for key, value in link.addresses.items() if key.lower() == name), None)
            if address is not None and not _same_address(section.value(_address_key(section, number)), address):
                section.set_value(_address_key(section, number), address)
        gone = {f"{word}{number}_addr" for number in wish.removed_links for word in ("ring", "link")}
        section.entries = [entry for entry in section.entries if entry[0] not in gone]
        votes = next((value for key, value in wish.votes.items() if key.lower() == name), None)
        if votes is not None and section.value("quorum_votes") != str(votes):
            section.set_value("quorum_votes", str(votes))


def _change_totem(root: Section, wish: ConfigWish) -> None:
    totem = _totem(root)
    if wish.token_coefficient is not None and totem.value("token_coefficient") != str(wish.token_coefficient):
        totem.set_value("token_coefficient", str(wish.token_coefficient))
    for number, link in sorted(wish.links.items()):
        interface = _interface(totem, number)
        if interface is None:
            interface = Section([("linknumber", str(number))])
            _insert_interface(totem, interface)
        if link.priority is not None:
            interface.set_value("knet_link_priority", str(link.priority))
    totem.entries = [
        (key, entry)
        for key, entry in totem.entries
        if not (key == "interface" and isinstance(entry, Section) and _number_of(entry) in wish.removed_links)
    ]


def _totem(root: Section) -> Section:
    totem = root.section("totem")
    if totem is None:
        raise UnreadableText("corosync.conf has no totem section.")
    return totem


def _address_key(section: Section, number: int) -> str:
    return f"link{number}_addr" if section.value(f"link{number}_addr") is not None else f"ring{number}_addr"


def _number_of(interface: Section) -> int:
    text = interface.value("linknumber") or interface.value("ringnumber") or "0"
    return int(text) if text.isdecimal() else -1


def _interface(totem: Section, number: int) -> Section | None:
    return next((entry for entry in totem.sections("interface") if _number_of(entry) == number), None)


def _insert_interface(totem: Section, interface: Section) -> None:
    """Behind the other interfaces, else where PVE's sorted files have it."""
    last = max((index for index, (key, _entry) in enumerate(totem.entries) if key == "interface"), default=None)
    if last is None:
        last = max((index for index, (key, _entry) in enumerate(totem.entries) if key < "interface"), default=-1)
    totem.entries.insert(last + 1, ("interface", interface))


def _refuse_contradictions(after: CorosyncConfig) -> None:
    problems = []
    used = Counter(ipaddress.ip_address(a) for node in after.nodes for a in node.addresses.values() if _is_address(a))
    problems += [f"{address} would be used {count} times" for address, count in used.items() if count > 1]
    for node in after.nodes:
        missing = sorted(set(after.links) - set(node.addresses))
        if missing:
            problems.append(f"{node.name} would have no address on link {', '.join(map(str, missing))}")
    for number in after.links:
        addresses = [node.addresses[number] for node in after.nodes if number in node.addresses]
        families = {ipaddress.ip_address(address).version for address in addresses if _is_address(address)}
        if len(families) > 1:
            problems.append(f"link {number} would mix IPv4 and IPv6")
    if after.expected_votes < 1:
        problems.append("nobody would have a vote")
    if problems:
        raise Refused("; ".join(problems) + ".", "Correct the links; nothing was changed.")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _same_address(text: str | None, address: str) -> bool:
    if text is None or not _is_address(text):
        return text == address
    return ipaddress.ip_address(text) == ipaddress.ip_address(address)


def drop_device(text: str) -> str:
    """Without the quorum device, one version higher."""
    root = parse_corosync_text(text)
    quorum = root.section("quorum")
    if quorum is not None:
        quorum.entries = [entry for entry in quorum.entries if entry[0] != "device"]
    return raise_version(format_corosync_text(root), read_corosync_config(text).config_version)
