# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA keys made in advance by the lab, so that a first boot does not wait for prime numbers; each is used once."""

from __future__ import annotations

import os

POOL = "/var/cache/practice-node/key-pool"


def take_key(bits: int, pool: str = POOL) -> str | None:
    """A private key in PEM, removed from the pool; None when there is none of that size.

    Files are named rsa-BITS-ANYTHING.pem. The rename makes sure that two processes never get the same key.
    """
    try:
        names = sorted(name for name in os.listdir(pool) if name.startswith(f"rsa-{bits}-") and name.endswith(".pem"))
    except OSError:
        return None
    for name in names:
        taken = os.path.join(pool, f".taken-{os.getpid()}-{name}")
        try:
            os.rename(os.path.join(pool, name), taken)
        except OSError:
            continue
        with open(taken, encoding="ascii") as stream:
            key = stream.read()
        os.unlink(taken)
        return key
    return None
