# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make rehearse: what it may be asked, and what it says when it cannot."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .errors import LabError
from .lab import Lab
from .rehearsal import CHECKOUT
from .rehearsal_story import DEFAULT_PLAYBOOK, rehearse


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Rehearse on practice nodes what the playbook will do to the real ones."
    )
    parser.add_argument("--name", default="rehearsal", help="name of the lab (default: %(default)s)")
    parser.add_argument("--inventory", type=Path, help="build look-alikes of this inventory's nodes")
    parser.add_argument("--playbook", default=DEFAULT_PLAYBOOK, help="what to run (default: %(default)s)")
    parser.add_argument("--args", default="", help="further arguments for ansible-playbook")
    parser.add_argument(
        "--bin", type=Path, default=CHECKOUT / ".venv" / "newest" / "bin", help="where ansible-playbook is"
    )
    parser.add_argument("--down", action="store_true", help="only remove the practice nodes")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The practice nodes are containers: run this as root.", file=sys.stderr)
        return 2
    try:
        if options.down:
            Lab(options.name).down()
            return 0
        return rehearse(options)
    except LabError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nInterrupted. Nothing outside the practice nodes was touched; remove them with: make rehearse-down",
            file=sys.stderr,
        )
        return 130
