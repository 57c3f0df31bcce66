# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make or check a ticket for the Perl module: mint.py ticket|csrf|verify USER-OR-TICKET."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = False
sys.pycache_prefix = "/var/cache/practice-node"
sys.path.insert(0, "/usr/lib/practice-node")

from practice_pve.access import tickets
from practice_pve.rest.errors import ApiError


def main(action: str, value: str) -> str:
    """Return what the Perl function returns; an invalid ticket gives nothing."""
    if action == "ticket":
        return tickets.assemble_ticket(value)
    if action == "csrf":
        return tickets.assemble_csrf_token(value)
    try:
        return tickets.verify_ticket(value)
    except ApiError:
        return ""


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2]))
