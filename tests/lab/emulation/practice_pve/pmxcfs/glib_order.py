# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which GLib's hash tables give their keys back.

pmxcfs prints node lists and status keys in that order, so a text equal to the real one needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Key = TypeVar("Key", str, int)

_PRIMES = {3: 7, 4: 13, 5: 31, 6: 61, 7: 127, 8: 251, 9: 509, 10: 1021, 11: 2039, 12: 4093, 13: 8191, 14: 16381}
_SMALLEST_SHIFT = 3


def hash_of_text(text: str) -> int:
    value = 5381
    for byte in text.encode():
        signed = byte - 256 if byte > 127 else byte
        value = (value * 33 + signed) & 0xFFFFFFFF
    return value


def hash_of_number(number: int) -> int:
    return number & 0xFFFFFFFF


def _place(table: list[Key | None], shift: int, key: Key, hash_value: int) -> None:
    # 0 and 1 mark free and deleted slots, GLib maps such hashes to 2.
    index = (max(hash_value, 2) * 11 & 0xFFFFFFFF) % _PRIMES[shift]
    step = 0
    while table[index] is not None:
        step += 1
        index = (index + step) & (len(table) - 1)
    table[index] = key


def in_table_order(keys: Iterable[Key], hash_function: Callable[[Key], int]) -> list[Key]:
    """Sort keys, given in the order of their insertion, the way a GHashTable would iterate over them."""
    shift = _SMALLEST_SHIFT
    table: list[Key | None] = [None] * (1 << shift)
    for used, key in enumerate(keys, start=1):
        _place(table, shift, key, hash_function(key))
        if len(table) <= used + used // 16:
            shift = max(_SMALLEST_SHIFT, int(used * 1.333).bit_length())
            old, table = table, [None] * (1 << shift)
            for moved in old:
                if moved is not None:
                    _place(table, shift, moved, hash_function(moved))
    return [key for key in table if key is not None]
