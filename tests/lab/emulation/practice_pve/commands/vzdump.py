# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vzdump: backups are not emulated; what is refused before one begins is."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from practice_pve.rest.errors import NOT_EMULATED_EXIT_CODE, NotEmulated


def main(argv: Sequence[str]) -> int:
    """A node without a mail program refuses every backup."""
    if shutil.which("sendmail") is None and any(word.isdigit() for word in argv):
        print("unable to find command 'sendmail'", file=sys.stderr)
        return 255
    print(NotEmulated("vzdump"), file=sys.stderr)
    return NOT_EMULATED_EXIT_CODE
