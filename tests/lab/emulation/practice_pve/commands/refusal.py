# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that real nodes have and this one cannot do: refused loudly, whatever their arguments are."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from practice_pve.rest.errors import NOT_EMULATED_EXIT_CODE, NotEmulated


def refuse(program: str, argv: Sequence[str], names: Sequence[str]) -> int:
    """97 when the arguments begin with one of the names (one or two words), else 0."""
    words = [word for word in argv[:2] if not word.startswith("-")]
    for length in (1, 2):
        name = " ".join(words[:length])
        if name in names:
            print(NotEmulated(f"{program} {name}"), file=sys.stderr)
            return NOT_EMULATED_EXIT_CODE
    return 0
