# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SHA-512 crypt in plain Python: Python 3.13 has no crypt module, and a password must not be another program's argument.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROUNDS = 5000
# The order in which crypt(3) takes the bytes of the digest.
_ORDER = [(position * 22 % 63, (position * 22 + 21) % 63, (position * 22 + 42) % 63) for position in range(21)]


def is_hashed(password: str) -> bool:
    """Whether this is a crypt(3) hash already, which is passed on as it is."""
    return bool(re.fullmatch(r"\$[0-9a-z]+\$.+\$.+", password))


def hash_password(password: str, salt: str = "") -> str:
    salt = (salt or "".join(secrets.choice(_ALPHABET) for _turn in range(16)))[:16]
    secret, seasoning = password.encode(), salt.encode()
    alternate = hashlib.sha512(secret + seasoning + secret).digest()
    start = hashlib.sha512(secret + seasoning + _stretch(alternate, len(secret)))
    bits = len(secret)
    while bits:
        start.update(alternate if bits & 1 else secret)
        bits >>= 1
    digest = start.digest()
    secret_bytes = _stretch(hashlib.sha512(secret * len(secret)).digest(), len(secret))
    salt_bytes = _stretch(hashlib.sha512(seasoning * (16 + digest[0])).digest(), len(seasoning))
    for number in range(_ROUNDS):
        mixed = hashlib.sha512(secret_bytes if number & 1 else digest)
        if number % 3:
            mixed.update(salt_bytes)
        if number % 7:
            mixed.update(secret_bytes)
        mixed.update(digest if number & 1 else secret_bytes)
        digest = mixed.digest()
    return f"$6${salt}${_encode(digest)}"


def matches(password: str, hashed: str) -> bool | None:
    """Whether the hash is of this password; None when it is a hash that this file cannot make."""
    if is_hashed(password):
        return hmac.compare_digest(password.encode(), hashed.encode())
    if not is_hashed(hashed):
        return hmac.compare_digest(password.encode(), hashed.encode())
    matched = re.fullmatch(r"\$6\$([^$]{1,16})\$[^$]+", hashed)
    if not matched or matched[1].startswith("rounds="):
        return None
    return hmac.compare_digest(hash_password(password, matched[1]).encode(), hashed.encode())


def _stretch(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encode(digest: bytes) -> str:
    groups = [(digest[a], digest[b], digest[c]) for a, b, c in _ORDER]
    text = ""
    for high, middle, low in groups:
        number = high << 16 | middle << 8 | low
        text += "".join(_ALPHABET[number >> shift & 63] for shift in (0, 6, 12, 18))
    return text + _ALPHABET[digest[63] & 63] + _ALPHABET[digest[63] >> 6]
