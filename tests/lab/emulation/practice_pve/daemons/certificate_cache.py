# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pinned fingerprints of other nodes' certificates, as long-lived as pveproxy's own cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from pathlib import Path

from practice_pve.access.rsa import decode_pem

CACHE_FILE = Path("/run/pveproxy/certificate-cache.json")
LIFETIME = 30 * 60
RETRY = 60


def node_fingerprint(node: str) -> str | None:
    """Return the SHA-256 fingerprint of what a node should show, from /etc/pve."""
    for name in ("pveproxy-ssl.pem", "pve-ssl.pem"):
        try:
            pem = Path(f"/etc/pve/nodes/{node}/{name}").read_text(encoding="ascii")
        except OSError:
            continue
        first = pem.split("-----END CERTIFICATE-----")[0].split("-----BEGIN CERTIFICATE-----")[-1]
        return hashlib.sha256(decode_pem(first)).hexdigest()
    return None


def clear() -> None:
    """Forget everything: a new pveproxy starts empty."""
    CACHE_FILE.parent.mkdir(parents=True, exist_ok=True)
    CACHE_FILE.write_text(json.dumps({"time": time.time(), "nodes": {}}), encoding="ascii")


def is_trusted(node: str, shown: bytes) -> bool:
    """True when the fingerprint is pinned. A wrong one refreshes the cache, at most once a minute, as PVE does."""
    with open(CACHE_FILE, "a+", encoding="ascii") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        text = stream.read()
        cache = json.loads(text) if text else {"time": time.time(), "nodes": {}}
        trusted = check(cache, node, shown.hex())
        stream.truncate(0)
        stream.write(json.dumps(cache))
    return trusted


def check(cache: dict, node: str, shown: str) -> bool:
    """Apply the rules to the cache (changed in place)."""
    if cache["nodes"].get(node) is None:
        cache["nodes"][node] = node_fingerprint(node)
    if time.time() - cache["time"] >= LIFETIME:
        refresh(cache)
    if shown in cache["nodes"].values():
        return True
    if time.time() - cache["time"] >= RETRY:
        refresh(cache)
        return shown in cache["nodes"].values()
    return False


def refresh(cache: dict) -> None:
    """Read all fingerprints again."""
    cache["time"] = time.time()
    cache["nodes"] = {node: node_fingerprint(node) for node in cache["nodes"]}
