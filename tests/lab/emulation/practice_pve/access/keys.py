# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's key pair for tickets, rotated once a day."""

from __future__ import annotations

import subprocess
import time
from functools import lru_cache

from . import files, rsa

KEY_LIFETIME = 24 * 3600
GRACE_PERIOD = 5 * 60
PRIVATE, PUBLIC, PUBLIC_OLD = "priv/authkey.key", "authkey.pub", "authkey.pub.old"


@lru_cache(maxsize=8)
def parse_public(pem: str) -> rsa.PublicKey:
    return rsa.load_public_key(pem)


@lru_cache(maxsize=2)
def parse_private(pem: str) -> rsa.PrivateKey:
    return rsa.load_private_key(pem)


def public_key(*, old: bool = False) -> tuple[rsa.PublicKey, float] | None:
    """Return a public key and when it was written."""
    found = files.snapshot(PUBLIC_OLD if old else PUBLIC)
    if found is None:
        return None
    try:
        return parse_public(found.text), found.written
    except rsa.BadKey:
        return None


def private_key() -> rsa.PrivateKey:
    """Return the key that signs tickets; a missing or old pair is replaced first when that is possible."""
    pem = files.read_text(PRIVATE)
    if not pem or needs_rotation():
        rotate()
        pem = files.read_text(PRIVATE)
    if not pem:
        raise rsa.BadKey("no private key")
    return parse_private(pem)


def needs_rotation() -> bool:
    """True when the pair is missing, too old or from the future; never without quorum."""
    if not files.is_quorate():
        return False
    written = files.modification_time(PUBLIC)
    now = time.time()
    return written is None or now - written >= KEY_LIFETIME or written > now + GRACE_PERIOD


def rotate() -> None:
    """Make a new pair; the old public key stays valid for tickets that it signed."""
    with files.locked("authkey"):
        if files.read_text(PRIVATE) and not needs_rotation():
            return
        private = openssl(["genrsa", "2048"])
        public = openssl(["rsa", "-pubout"], private)
        old = files.read_text(PUBLIC)
        if old:
            files.write_text(PUBLIC_OLD, old)
        files.write_text(PUBLIC, public)
        files.write_text(PRIVATE, private)


def openssl(arguments: list[str], given: str | None = None) -> str:
    """Run openssl; keys go through pipes only."""
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, text=True, check=True)
    return done.stdout
