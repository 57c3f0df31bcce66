# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PVE merges root's SSH keys and the host keys of the nodes: pure text to text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from practice_pve.rest.errors import ApiError

RSA_OR_DSA_KEY = re.compile(r"(?:^|\s)ssh-(?:rsa|dsa)\s+(\S+)\s+\S+$")
RSA_HOST_KEY = re.compile(r"^(ssh-rsa\s\S+)(\s.*)?$", re.MULTILINE)
KNOWN_RSA_HOST = re.compile(r"^(\S+)\s(ssh-rsa\s\S+)(\s.*)?$")
HASHED_HOST = re.compile(r"\|1\|([^|\s]+)\|([^|\s]+)$")


def merge_authorized_keys(cluster: str | None, backup: str | None, own: str | None) -> str:
    """The cluster's list, then the set-aside local file, then this node's key; only RSA and DSA duplicates go.

    An empty cluster list leaves an empty first line, which every real node's file has.
    """
    data = _chomp(cluster or "")
    if backup is not None:
        data = _chomp(data + "\n" + backup)
    if own is not None:
        data += f"\n{_chomp(own)}\n"
    seen: set[str] = set()
    kept: list[str] = []
    for line in data.rstrip("\n").split("\n") if data.strip("\n") else []:
        match = None if line.startswith("#") else RSA_OR_DSA_KEY.search(line)
        if match:
            if match.group(1) in seen:
                continue
            seen.add(match.group(1))
        kept.append(line + "\n")
    return "".join(kept)


def _chomp(text: str) -> str:
    return text[:-1] if text.endswith("\n") else text


def rsa_host_key(public_key_file: str) -> str:
    """Type and key without the comment, out of /etc/ssh/ssh_host_rsa_key.pub."""
    match = RSA_HOST_KEY.search(public_key_file)
    if not match:
        raise ApiError("can't parse /etc/ssh/ssh_host_rsa_key.pub")
    return match.group(1)


def node_known_hosts(node: str, public_key_file: str) -> str:
    """/etc/pve/nodes/NODE/ssh_known_hosts: one line without a line end."""
    return f"{node} {rsa_host_key(public_key_file)}"


def merge_known_hosts(cluster: str, system: str, public_key_file: str, node: str, address: str) -> str:
    """The legacy shared list that `pvecm create` still writes: cluster first, then the system's RSA lines, then us."""
    host_key = rsa_host_key(public_key_file)
    merger = _KnownHostsMerger(node.lower(), address.lower(), host_key)
    for line in cluster.splitlines():
        merger.add(line, keep_other_types=True)
    for line in system.splitlines():
        merger.add(line, keep_other_types=False)
    return merger.finish()


class _KnownHostsMerger:
    def __init__(self, node: str, address: str, host_key: str) -> None:
        self.names = (node, address)
        self.host_key = host_key
        self.found = {node: False, address: False}
        self.seen: set[str] = set()
        self.lines: list[str] = []

    def add(self, line: str, keep_other_types: bool) -> None:
        if not line.strip() or line.startswith("#"):
            return
        match = KNOWN_RSA_HOST.match(line)
        if not match:
            if keep_other_types:
                self.lines.append(line)
            return
        host, key = match.group(1), match.group(2)
        if host in self.seen:
            return
        self.seen.add(host)
        own_name = self._hashed_own_name(host)
        if own_name is not None:
            # A hashed line about ourselves survives only with our present key.
            if key == self.host_key:
                self.found[own_name] = True
                self.lines.append(line)
            return
        if host.lower() in self.found and key == self.host_key:
            self.found[host.lower()] = True
        self.lines.append(line)

    def _hashed_own_name(self, host: str) -> str | None:
        match = HASHED_HOST.search(host)
        if not match:
            return None
        salt = base64.b64decode(match.group(1))
        for name in self.names:
            digest = base64.b64encode(hmac.new(salt, name.encode(), hashlib.sha1).digest()).decode()
            if digest == match.group(2):
                return name
        return None

    def finish(self) -> str:
        self.lines.extend(f"{name} {self.host_key}" for name in self.names if not self.found[name])
        return "".join(f"{line}\n" for line in self.lines)
