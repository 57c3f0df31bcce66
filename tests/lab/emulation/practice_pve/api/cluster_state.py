# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster knows of its nodes: members, published figures, tasks, certificates."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from practice_pve import settings
from practice_pve.access.rsa import BadKey, decode_pem
from practice_pve.pmxcfs import client

INFO_CACHE = Path("/run/pvedaemon-cluster-info.json")
# positions in PVE's "pve-node-9.0" string
UPTIME, LEVEL, MAXCPU, CPU, MEMTOTAL, MEMUSED, ROOTTOTAL, ROOTUSED = 0, 1, 4, 5, 7, 8, 11, 12


def cluster_info(environment: str) -> dict[str, Any]:
    """Return .members. A daemon keeps what it has seen until pmxcfs counts a change: "pvecm expected" is none."""
    if environment == "cli":
        return client.members()
    versions = client.versions()
    key = f"{versions.get('starttime')}:{versions.get('clinfo')}"
    try:
        cached = json.loads(INFO_CACHE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        cached = {}
    if cached.get("key") == key:
        return cached["info"]
    info = client.members()
    temporary = INFO_CACHE.with_name(f"{INFO_CACHE.name}.{os.getpid()}")
    temporary.write_text(json.dumps({"key": key, "info": info}), encoding="utf-8")
    temporary.replace(INFO_CACHE)
    return info


def node_list() -> dict[str, dict[str, Any]] | None:
    """Return name -> id, online, ip of the members; None on a node without a cluster."""
    return client.members().get("nodelist")


def published_figures() -> dict[str, list[str]]:
    """Return key -> values of everything in .rrd."""
    lines = (client.read(".rrd") or "").replace("\0", "").splitlines()
    return {line.split(":")[0]: line.split(":")[1:] for line in lines if ":" in line}


def number(text: str) -> int | float:
    """Return a published figure as a number; unknown ones are 0."""
    try:
        value = float(text)
    except ValueError:
        return 0
    return int(value) if value.is_integer() else value


def node_entry(node: str, members: dict[str, Any] | None, figures: dict[str, list[str]]) -> dict[str, Any]:
    """Return a node as /nodes and /cluster/resources show it."""
    entry: dict[str, Any] = {"id": f"node/{node}", "node": node, "type": "node", "status": "unknown"}
    values = figures.get(f"pve-node-9.0/{node}")
    online = not members or bool(members.get(node, {}).get("online"))
    if values:
        if online:
            entry |= {
                "uptime": number(values[UPTIME]), "cpu": number(values[CPU]), "mem": number(values[MEMUSED]),
                "disk": number(values[ROOTUSED]), "status": "online",
            }  # fmt: skip
        entry |= {
            "level": values[LEVEL], "maxcpu": number(values[MAXCPU]), "maxmem": number(values[MEMTOTAL]),
            "maxdisk": number(values[ROOTTOTAL]),
        }  # fmt: skip
    if members and not online:
        entry["status"] = "offline"
    return entry


def node_names() -> list[str]:
    """Return the members' names, or this node's."""
    return list(node_list() or [settings.nodename()])


def certificate_fingerprint(node: str) -> str | None:
    """Return the SHA-256 fingerprint of the certificate that a node's API should show."""
    for name in ("pveproxy-ssl.pem", "pve-ssl.pem"):
        try:
            pem = Path(f"/etc/pve/nodes/{node}/{name}").read_text(encoding="ascii")
        except OSError:
            continue
        return fingerprint_of(pem)
    return None


@lru_cache(maxsize=64)
def fingerprint_of(pem: str) -> str | None:
    """Return AA:BB:... of the first certificate in a PEM text."""
    try:
        der = decode_pem(pem.split("-----END CERTIFICATE-----")[0].split("-----BEGIN CERTIFICATE-----")[-1])
    except BadKey:
        return None
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def cluster_tasks() -> list[dict[str, Any]]:
    """Return the tasks that every node has published, newest first."""
    tasks: list[dict[str, Any]] = []
    for node in node_names():
        text = client.status_of(node, "tasklist")
        tasks += json.loads(text) if text else []
    return sorted(tasks, key=lambda task: -task["starttime"])
