# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program on this node, always with a deadline.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finished:
    """C(rc) is None when the program did not end in time and was killed, or could not be started."""

    rc: int | None
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        return "\n".join(part.strip() for part in (self.stdout, self.stderr) if part.strip())


def run(argv: Sequence[str], timeout: float, stdin: str = "") -> Finished:
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            list(argv),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            # pvecm refuses to work from below /etc/pve, and the messages are compared in English.
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return Finished(None, "", f"{argv[0]} is not installed.")
    except subprocess.TimeoutExpired as expired:
        return Finished(None, _text(expired.stdout), f"{argv[0]} gave no answer within {timeout:.0f} seconds.")
    return Finished(done.returncode, done.stdout, done.stderr)


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
