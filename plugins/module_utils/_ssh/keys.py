# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys in their two file formats: authorized_keys and known_hosts. Pure; knows no file and no process.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# The base64 of a key blob always starts with the length of the type's name: three zero bytes, hence "AAAA".
_KEY = re.compile(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)\s+(AAAA[A-Za-z0-9+/]+={0,3})")


@dataclass(frozen=True)
class PublicKey:
    """A public key without its comment: two keys are the same key when type and blob are."""

    type: str
    blob: str

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def find_key(line: str) -> PublicKey | None:
    """The key in a line of authorized_keys (options in front allowed), known_hosts or a .pub file; None if there is none."""
    if line.lstrip().startswith("#"):
        return None
    match = _KEY.search(line)
    if match is None:
        return None
    try:
        base64.b64decode(match[2], validate=True)
    except binascii.Error:
        return None
    return PublicKey(match[1], match[2])


def find_keys(text: str) -> list[PublicKey]:
    """All keys of a text, in their order."""
    return [key for key in map(find_key, text.splitlines()) if key is not None]


def require_key(line: str) -> PublicKey:
    """The key of a line that a user gave; ValueError with a message for them if it is not one."""
    if "PRIVATE KEY" in line:
        raise ValueError("this is a private key; give the public one (the file that ends in .pub)")
    key = find_key(line)
    if key is None:
        raise ValueError(f"not a public SSH key: {line[:40]!r}; expected a line such as 'ssh-ed25519 AAAA... name'")
    return key


def authorize(text: str, lines: Iterable[str], revoked: Iterable[str] = ()) -> str:
    """The authorized_keys text with the keys of C(lines) added and those of C(revoked) taken out.

    What else stands in it stays as it is: comments, options, the empty first line that Proxmox writes.
    """
    gone = {require_key(line) for line in revoked}
    kept = [line for line in text.splitlines() if find_key(line) not in gone or find_key(line) is None]
    present = {find_key(line) for line in kept}
    for line in lines:
        key = require_key(line)
        if key not in present and key not in gone:
            kept.append(line.strip())
            present.add(key)
    result = "".join(f"{line}\n" for line in kept)
    return text if result == text + "\n" or result.rstrip("\n") == text.rstrip("\n") else result


@dataclass(frozen=True)
class HostKeys:
    """What a host is known by: the names and addresses that ssh is called with, and all its public host keys."""

    names: tuple[str, ...]
    keys: tuple[PublicKey, ...]


def pin_hosts(text: str, hosts: Sequence[HostKeys]) -> str:
    """The known_hosts text in which each of the hosts is known by exactly its keys.

    A line of one of the names with another key goes: it is that of a node which has been installed anew, and it would
    make ssh refuse the right one. Hashed names and lines of other hosts stay untouched.
    """
    wanted = {(name, key) for host in hosts for name in host.names for key in host.keys}
    names = {name for host in hosts for name in host.names}
    lines: list[str] = []
    present: set[tuple[str, PublicKey]] = set()
    for line in text.splitlines():
        key = find_key(line)
        if key is None or line.startswith(("|", "@", "#")):
            lines.append(line)
            continue
        line_names = line.split()[0].split(",")
        kept = [name for name in line_names if name not in names or (name, key) in wanted]
        present.update((name, key) for name in kept)
        if kept == line_names:
            lines.append(line)
        elif kept:
            lines.append(f"{','.join(kept)} {key.type} {key.blob}")
    for host in hosts:
        for key in host.keys:
            missing = [name for name in host.names if (name, key) not in present]
            if missing:
                lines.append(f"{','.join(missing)} {key.type} {key.blob}")
    return "".join(f"{line}\n" for line in lines)
