# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the collector printed to a snapshot. Whatever is missing or unreadable becomes an explicit "unknown".

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import read_corosync_config
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.high_availability import (
    HighAvailability,
    high_availability_of_files,
    parse_lrm_status,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.links import parse_link_status
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import parse_members_file
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.quorum import parse_quorum_status
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import (
    DiskCertificate,
    NodeDirectory,
    Snapshot,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.units import parse_units

Value = TypeVar("Value")


def parse_collected(text: str) -> Snapshot:
    try:
        collected = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableText(f"The node's readings are not JSON ({error}).") from error
    if not isinstance(collected, dict) or not isinstance(collected.get("node_name"), str):
        raise UnreadableText("The node's readings do not name the node.")
    return interpret(collected)


def interpret(collected: Mapping[str, Any]) -> Snapshot:
    shared = collected.get("pmxcfs") or {"reason": "nothing was read of /etc/pve"}

    def on_pmxcfs(name: str) -> Reading[Any]:
        return _reading(shared if "reason" in shared else shared.get(name), name)

    def here(name: str) -> Reading[Any]:
        return _reading(collected.get(name), name)

    directories = on_pmxcfs("node_directories")
    return Snapshot(
        node_name=collected["node_name"],
        boot_id=(here("boot_id").value or "").strip(),
        mounted=here("mounted"),
        membership=on_pmxcfs("members").parsed(parse_members_file),
        config=on_pmxcfs("corosync_conf").parsed(read_corosync_config),
        local_config=here("local_corosync_conf").parsed(read_corosync_config),
        writable=_certain(on_pmxcfs("write_bit"), "/etc/pve/local is missing."),
        quorum=_output(here("quorum")).parsed(parse_quorum_status),
        links=_output(here("links")).parsed(parse_link_status),
        node_directories=directories.parsed(_node_directories),
        disk_certificate=on_pmxcfs("disk_certificate").parsed(_disk_certificate),
        served_fingerprint=here("served_certificate"),
        high_availability=_high_availability(on_pmxcfs("ha_manager_status"), on_pmxcfs("ha_resources"), directories),
        authkey=here("authkey"),
        ring_files=here("ring_files"),
        database=here("database"),
        database_holds_cluster=here("database_holds_cluster"),
        database_dumps=here("database_dumps"),
        units=_output(here("units")).parsed(parse_units),
        foreign_commands=here("foreign_commands"),
        local_addresses=here("local_addresses"),
        own_addresses=here("own_addresses"),
        leave_marker=here("leave_marker"),
        lease=here("lease"),
    )


def _reading(raw: Any, name: str) -> Reading[Any]:
    if not isinstance(raw, Mapping):
        return unknown(f"'{name}' was not read.")
    if raw.get("reason"):
        return unknown(str(raw["reason"]))
    if "value" not in raw:
        return unknown(f"'{name}' was not read.")
    return Reading(raw["value"])


def _certain(reading: Reading[Value], reason_if_absent: str) -> Reading[Value]:
    return unknown(reason_if_absent) if reading.absent else reading


def _output(reading: Reading[Any]) -> Reading[str]:
    """What a command printed. Its exit code says little: corosync-quorumtool ends with 2 where there is no quorum."""
    if reading.value is None:
        return unknown(reading.reason or "The command was not run.")
    text = reading.value.get("stdout", "")
    if text.strip():
        return Reading(text)
    return unknown((reading.value.get("stderr") or "The command printed nothing.").strip())


def _shaped(parse: Callable[[], Value], name: str) -> Value:
    try:
        return parse()
    except (AttributeError, KeyError, TypeError) as error:
        raise UnreadableText(f"'{name}' has an unknown form: {error!r}.") from error


def _node_directories(raw: Any) -> Mapping[str, NodeDirectory]:
    return _shaped(
        lambda: {
            name: NodeDirectory(name, tuple(entry["guests"]), bool(entry["certificate"])) for name, entry in raw.items()
        },
        "node_directories",
    )


def _disk_certificate(raw: Any) -> DiskCertificate:
    return _shaped(lambda: DiskCertificate(raw["file"], raw["fingerprint"], bool(raw["key"])), "disk_certificate")


def _high_availability(
    manager: Reading[str], resources: Reading[str], directories: Reading[Any]
) -> Reading[HighAvailability]:
    for reading in (manager, resources, directories):
        if not reading.known:
            return unknown(reading.reason)
    lrm_states = {}
    try:
        for name, entry in (directories.value or {}).items():
            written = _reading(entry.get("lrm_status"), f"lrm_status of {name}")
            if not written.known:
                return unknown(written.reason)
            # An LRM that has never run has no file; an empty one is what a full or freshly made pmxcfs leaves.
            if written.value:
                lrm_states[name] = parse_lrm_status(written.value)
        return Reading(high_availability_of_files(manager.value or None, resources.value, lrm_states))
    except UnreadableText as error:
        return unknown(error.message)
