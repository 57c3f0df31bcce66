# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program and keep its exit code and its two streams apart."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import LabError


@dataclass(frozen=True)
class Completed:
    """What a finished program left: exit code (negative: the signal that killed it), stdout and stderr."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str

    def check(self) -> Completed:
        """Return itself, or raise LabError when the program failed."""
        if self.rc != 0:
            raise LabError(f"{' '.join(self.argv)}: exit code {self.rc}: {(self.stderr or self.stdout).strip()}")
        return self


def run_program(
    argv: Sequence[str],
    stdin: str | bytes | None = None,
    timeout: float | None = None,
    shown_argv: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run argv without a shell; bytes that are not UTF-8 survive as surrogate escapes.

    subprocess.TimeoutExpired is let through: what a timeout means is the caller's business.
    """
    data = stdin.encode(errors="surrogateescape") if isinstance(stdin, str) else stdin
    variables = {**os.environ, **environment} if environment else None
    try:
        if data is None:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False, env=variables
            )
        else:
            done = subprocess.run(argv, input=data, capture_output=True, timeout=timeout, check=False, env=variables)
    except FileNotFoundError as error:
        raise LabError(f"program not found: {argv[0]}") from error
    return Completed(
        argv=tuple(shown_argv or argv),
        rc=done.returncode,
        stdout=done.stdout.decode(errors="surrogateescape"),
        stderr=done.stderr.decode(errors="surrogateescape"),
    )


def must_run(argv: Sequence[str], stdin: str | bytes | None = None, timeout: float | None = 60) -> str:
    """Run argv, raise LabError when it fails, return stdout."""
    try:
        return run_program(argv, stdin, timeout).check().stdout
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)}: no end after {timeout:.0f} s") from error
