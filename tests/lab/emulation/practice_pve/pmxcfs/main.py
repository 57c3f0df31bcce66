# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/usr/bin/pmxcfs."""

from __future__ import annotations

import ctypes
import sys

import practice_pve.pmxcfs.first_look  # noqa: F401 - before anything else, see there
from practice_pve.pmxcfs.daemon import Daemon
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.options import USAGE, HelpWanted, UsageError, parse

_M_ARENA_MAX = -8


def main(argv: list[str]) -> int:
    try:
        options = parse(argv)
    except HelpWanted:
        sys.stdout.write(USAGE)
        return 0
    except UsageError as error:
        log.critical("main", str(error))
        return 255 if str(error) == "too many arguments" else 1
    log.debug_enabled = options.debug
    # One heap for all threads: a dozen of them would otherwise hold twice the memory.
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    return Daemon(options).run()
