# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA signatures with SHA-1 (what PVE's tickets carry), in plain Python: the standard library has none.

Slower than a C library but quicker than starting openssl: about 10 ms for a signature, less than 1 ms for a check.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")
INTEGER, BIT_STRING, OCTET_STRING, SEQUENCE = 0x02, 0x03, 0x04, 0x30


class BadKey(ValueError):
    """The PEM text is not an RSA key."""


@dataclass(frozen=True)
class PublicKey:
    """Modulus and exponent."""

    modulus: int
    exponent: int

    def verify(self, message: bytes, signature: bytes) -> bool:
        """True when ``signature`` is this key's for ``message``."""
        size = (self.modulus.bit_length() + 7) // 8
        if len(signature) != size:
            return False
        opened = pow(int.from_bytes(signature, "big"), self.exponent, self.modulus)
        return opened.to_bytes(size, "big") == padded_digest(message, size)


@dataclass(frozen=True)
class PrivateKey:
    """The numbers of PKCS#1."""

    modulus: int
    exponent: int
    private_exponent: int
    prime1: int
    prime2: int
    exponent1: int
    exponent2: int
    coefficient: int

    def sign(self, message: bytes) -> bytes:
        """Return the signature (by the Chinese remainder theorem)."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(padded_digest(message, size), "big")
        first = pow(number, self.exponent1, self.prime1)
        second = pow(number, self.exponent2, self.prime2)
        result = second + self.prime2 * (self.coefficient * (first - second) % self.prime1)
        return result.to_bytes(size, "big")


def padded_digest(message: bytes, size: int) -> bytes:
    """Return PKCS#1 v1.5 padding around the SHA-1 of the message."""
    digest = SHA1_PREFIX + hashlib.sha1(message).digest()
    return b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest


def decode_pem(text: str) -> bytes:
    """Return the bytes between the BEGIN and END lines."""
    lines = [line.strip() for line in text.splitlines()]
    body = [line for line in lines if line and not line.startswith("-----")]
    try:
        return base64.b64decode("".join(body), validate=True)
    except ValueError as error:
        raise BadKey("no PEM data") from error


def read_element(data: bytes, offset: int) -> tuple[int, bytes, int]:
    """Return tag, content and the offset behind one DER element."""
    if offset + 2 > len(data):
        raise BadKey("truncated key")
    tag, length = data[offset], data[offset + 1]
    offset += 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[offset : offset + count], "big")
        offset += count
    return tag, data[offset : offset + length], offset + length


def read_integers(data: bytes) -> list[int]:
    """Return the integers of a DER sequence's content."""
    numbers, offset = [], 0
    while offset < len(data):
        tag, content, offset = read_element(data, offset)
        if tag != INTEGER:
            raise BadKey("unexpected element")
        numbers.append(int.from_bytes(content, "big", signed=True))
    return numbers


def unwrap(data: bytes, wanted: int) -> bytes:
    """Return the key's own sequence, which may lie in a PKCS#8 or SubjectPublicKeyInfo wrapper."""
    _tag, content, _end = read_element(data, 0)
    offset = 0
    while offset < len(content):
        tag, inner, offset = read_element(content, offset)
        if tag == wanted:
            inner = inner[1:] if wanted == BIT_STRING else inner
            return read_element(inner, 0)[1]
    return content


def load_public_key(pem: str) -> PublicKey:
    """Return the key of a PUBLIC KEY or RSA PUBLIC KEY file."""
    numbers = read_integers(unwrap(decode_pem(pem), BIT_STRING))
    if len(numbers) != 2:
        raise BadKey("not a public RSA key")
    return PublicKey(*numbers)


def load_private_key(pem: str) -> PrivateKey:
    """Return the key of a PRIVATE KEY or RSA PRIVATE KEY file."""
    numbers = read_integers(unwrap(decode_pem(pem), OCTET_STRING))
    if len(numbers) != 9:
        raise BadKey("not a private RSA key")
    return PrivateKey(*numbers[1:])
