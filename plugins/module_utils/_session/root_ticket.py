# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root's own ticket, minted on the node. It lives in this process's memory and in the headers sent to the loopback."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from urllib.parse import quote

from .errors import Unreachable

# The quotes are q(): in double quotes Perl would take @pam for an array.
_MINT = (
    "print join(qq(\\n), PVE::AccessControl::assemble_ticket(q(root@pam)), "
    "PVE::AccessControl::assemble_csrf_prevention_token(q(root@pam))), qq(\\n)"
)
SECONDS = 30.0


def mint_root_headers() -> Mapping[str, str]:
    """The headers that make a call root's. Raises Unreachable where this is no node or pmxcfs does not run."""
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            ["perl", "-MPVE::AccessControl", "-e", _MINT],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        # subprocess's own text has the command line, which holds no secret, and no output.
        raise Unreachable(f"no root ticket: {error}") from error
    lines = done.stdout.split()
    if done.returncode or len(lines) != 2 or not re.match(r"PVE:root(@|%40)pam:", lines[0]):
        reason = (done.stderr.strip().splitlines() or ["no ticket came out"])[-1]
        raise Unreachable(
            f"no root ticket: {reason}", "is this a Proxmox VE node, and is the module run as root (become)?"
        )
    return {"Cookie": f"PVEAuthCookie={quote(lines[0], safe='')}", "CSRFPreventionToken": lines[1]}
