# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA keys that a node's first boot needs, made once and kept in the cache, so that it does not wait for prime numbers.

They come in numbered sets, one per node installation of a lab: no two installations in one lab share a key, while the next
lab uses the same sets again. SSH host keys are not among them, every installation has fresh ones.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .completed import must_run
from .places import cache_directory

POOL = "var/cache/practice-node/key-pool"  # in the node; the emulation takes its keys from there
SET = {
    4096: 2,
    2048: 4,
}  # bits: how many (certificate authority, root's SSH key; ticket key, www, certificate, a re-join)


def fill_pool(root: Path, number: int) -> None:
    """Put key set NUMBER into a node's pool."""
    source = _ensure_set(root, number)
    target = root / POOL
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, mode=0o700)
    for key in source.iterdir():
        shutil.copyfile(key, target / key.name)
        (target / key.name).chmod(0o600)


def _ensure_set(root: Path, number: int) -> Path:
    finished = cache_directory() / "keys" / f"set-{number}"
    if finished.is_dir():
        return finished
    finished.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    building = finished.with_name(f"{finished.name}.building.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    for bits, count in SET.items():
        for position in range(count):
            key = must_run(["chroot", str(root), "/usr/bin/openssl", "genrsa", str(bits)])
            (building / f"rsa-{bits}-{position}.pem").write_text(key)
    try:
        building.rename(finished)
    except OSError:  # another lab was faster: its set is as good
        shutil.rmtree(building)
    return finished
