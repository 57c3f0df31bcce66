# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets, CSRF prevention tokens and API tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from functools import lru_cache
from urllib.parse import unquote

from practice_pve.rest.errors import ApiError

from . import files, keys, tokens
from .rsa import PublicKey
from .user_config import UserConfig, check_user_enabled, load, verify_username

TICKET_LIFETIME = 2 * 3600


def assemble_ticket(data: str) -> str:
    """Return PVE:user@realm:HEXTIME::signature."""
    plain = f"PVE:{data.replace(':', '%3A')}:{int(time.time()):08X}"
    signature = keys.private_key().sign(plain.encode())
    return f"{plain}::{base64.b64encode(signature).decode()}"


def verify_ticket(ticket: str) -> str:
    """Return the user of a ticket that is valid now, signed by the present or the previous key."""
    for old in (False, True):
        found = keys.public_key(old=old)
        if found is None:
            continue
        key, written = found
        ages = age_range(time.time(), written, rotated=old)
        user = check_ticket(key, ticket, *ages) if ages else None
        if user:
            verify_username(user)
            return user
    raise ApiError("permission denied - invalid PVE ticket\n", status=401)


def check_ticket(key: PublicKey, ticket: str, minimum: float, maximum: float) -> str | None:
    """Return the user when signature and age are good."""
    found = re.fullmatch(r"(PVE:(?:(\S+):)?([A-Z0-9]{8}))::([^:\s]+)", ticket)
    if not found or not found[2]:
        return None
    try:
        written = int(found[3], 16)
    except ValueError:
        return None
    if not is_signed(key, found[1], found[4]):
        return None
    age = int(time.time()) - written
    return unquote(found[2]) if minimum < age < maximum else None


@lru_cache(maxsize=256)
def is_signed(key: PublicKey, plain: str, signature: str) -> bool:
    """True when the signature is the key's; remembered, a client sends the same ticket with every call."""
    try:
        raw = base64.b64decode(signature)
    except ValueError:
        return False
    return key.verify(plain.encode(), raw)


def age_range(now: float, key_written: float, *, rotated: bool) -> tuple[float, float] | None:
    """Return the ages between which a ticket is good, given its key's age."""
    key_age = max(0.0, now - key_written)
    minimum, maximum = float(-keys.GRACE_PERIOD), float(TICKET_LIFETIME)
    if rotated:
        minimum = key_age - keys.GRACE_PERIOD
    else:
        if key_age > keys.KEY_LIFETIME and files.is_quorate():
            minimum = key_age - keys.KEY_LIFETIME
        if key_age < TICKET_LIFETIME:
            maximum = key_age + keys.GRACE_PERIOD
    return None if minimum > TICKET_LIFETIME else (minimum, maximum)


def base64_digest(digest: bytes) -> str:
    """Return base64 without padding, as Perl's Digest modules do."""
    return base64.b64encode(digest).decode().rstrip("=")


def csrf_secret() -> bytes:
    """Return the secret made of /etc/pve/pve-www.key."""
    found = files.snapshot("pve-www.key")
    key = found.text.encode() if found else b""
    return base64_digest(hmac.new(key, b"", hashlib.sha256).digest()).encode()


def csrf_digest(timestamp: str, user: str) -> str:
    return base64_digest(hmac.new(csrf_secret(), f"{timestamp}:{user}".encode(), hashlib.sha256).digest())


def assemble_csrf_token(user: str) -> str:
    """Return HEXTIME:digest."""
    timestamp = f"{int(time.time()):08X}"
    return f"{timestamp}:{csrf_digest(timestamp, user)}"


def verify_csrf_token(user: str, token: str | None) -> None:
    """Raise 401 unless the token is this user's and not too old."""
    found = re.fullmatch(r"([A-F0-9]{8}):(\S+)", token or "")
    if found and hmac.compare_digest(csrf_digest(found[1], user), found[2]):
        age = int(time.time()) - int(found[1], 16)
        if -keys.GRACE_PERIOD < age < TICKET_LIFETIME:
            return
    raise ApiError("Permission denied - invalid csrf token\n", status=401)


def verify_api_token(text: str, config: UserConfig | None = None) -> str:
    """Return user@realm!name of a valid "user@realm!name=secret"."""
    token_id, equals, secret = text.rpartition("=")
    if not equals:
        raise ApiError("no tokenid specified\n")
    user, name = tokens.split_token_id(token_id)
    config = config or load()
    check_user_enabled(config, user)
    token = config.users[user].tokens.get(name)
    if token is None:
        raise ApiError(f"no such token '{name}' for user '{user}'\n")
    if token.expire and token.expire < time.time():
        raise ApiError(f"token '{name}' access expired\n")
    if not hmac.compare_digest(tokens.read_secrets().get(token_id, "\0"), secret):
        raise ApiError("invalid token value!\n")
    return token_id
