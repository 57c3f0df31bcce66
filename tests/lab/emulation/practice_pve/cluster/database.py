# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration database of a node that joins: dumped, then thrown away."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
import time

from practice_pve.cluster import locations
from practice_pve.rest.errors import ApiError

KEPT_BACKUPS = 10


def back_up_database() -> None:
    """Dump config.db (pmxcfs must be down) and keep the newest ten dumps."""
    directory = locations.DATABASE_BACKUPS
    try:
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o700)
    except OSError as error:
        raise ApiError(f"failed to create backup dir - {error.strerror}\n") from error
    path = f"{directory}/config-{int(time.time())}.sql.gz"
    print(f"backup old database to '{path}'", flush=True)
    with open(path, "wb") as packed:
        dump = subprocess.Popen(["sqlite3", locations.DATABASE, ".dump"], stdout=subprocess.PIPE)
        pack = subprocess.run(["gzip", "-"], stdin=dump.stdout, stdout=packed, check=False)
        dumped = dump.wait()
    if dumped or pack.returncode:
        raise ApiError(f"cannot backup old database\n: exit code {dumped or pack.returncode}\n")
    for old in surplus_backups(glob.glob(f"{directory}/config-*.sql.gz")):
        print(f"delete old backup '{old}'", flush=True)
        os.unlink(old)


def surplus_backups(paths: list[str]) -> list[str]:
    """All but the last ten by name; the names carry the time."""
    return sorted(paths, reverse=True)[KEPT_BACKUPS:]


def discard_database() -> None:
    try:
        os.unlink(locations.DATABASE)
    except FileNotFoundError:
        return
    except OSError as error:
        print(f"failed to remove old config database - {error.strerror}", file=sys.stderr, flush=True)


def set_database_aside() -> None:
    """Used when the dump failed."""
    try:
        os.rename(locations.DATABASE, f"{locations.DATABASE}.{int(time.time())}.bak")
    except OSError as error:
        print(f"failed to rename old config database - {error.strerror}", file=sys.stderr, flush=True)
