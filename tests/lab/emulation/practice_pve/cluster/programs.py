# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs as PVE does: its error texts, its moments of flushing output."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence

from practice_pve.rest.errors import ApiError

PLAIN_WORD = re.compile(r"[\w!%+,\-./:=@^]+\Z", re.ASCII)


def quote_word(word: str) -> str:
    """One word as Perl's String::ShellQuote writes it; runs of quotes differ from Python's shlex."""
    if PLAIN_WORD.match(word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def quote_command(argv: Sequence[str]) -> str:
    return " ".join(quote_word(word) for word in argv)


def run(
    argv: Sequence[str],
    *,
    error_message: str | None = None,
    allow_failure: bool = False,
    quiet: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> int:
    """Run a program with its output passed through (or handed to `on_line`, or dropped); ApiError on failure.

    With `error_message` the last line on stderr becomes part of the error and is not shown apart.
    """
    # Perl flushes its buffers before it forks; `pvecm updatecerts` shows only what was printed before such a moment.
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE if on_line else None,
            stderr=subprocess.PIPE if error_message else subprocess.DEVNULL if quiet else None,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        if allow_failure:
            return 255
        raise ApiError(
            failure_text(argv, f"failed: open3: exec of {argv[0]} failed: No such file or directory")
        ) from None
    with process:
        last_error_line = _follow(process, on_line, show_errors=not quiet)
        code = process.wait()
    if code and error_message:
        raise ApiError(f"{error_message}: {last_error_line or describe_exit(code)}\n")
    if last_error_line and not quiet:
        print(last_error_line, file=sys.stderr, flush=True)
    if code and not allow_failure:
        raise ApiError(failure_text(argv, f"failed: {describe_exit(code)}"))
    return code


def _follow(process: subprocess.Popen[str], on_line: Callable[[str], None] | None, show_errors: bool) -> str:
    """Hand the output on while the program runs; return the last line on stderr when that is captured."""
    if on_line and process.stdout:
        for line in process.stdout:
            on_line(line.rstrip("\n"))
    last = ""
    for line in process.stderr or []:
        if last and show_errors:
            print(last, file=sys.stderr, flush=True)
        last = line.rstrip("\r\n")
    return last


def run_silent(argv: Sequence[str], shown: Sequence[str] | None = None) -> None:
    """Run a program whose output appears (on stderr) only when it fails; `shown` is the command in the message."""
    sys.stdout.flush()
    done = subprocess.run(
        list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, end="" if done.stdout.endswith("\n") else "\n", file=sys.stderr, flush=True)
        raise ApiError(failure_text(shown or argv, f"failed: {describe_exit(done.returncode)}"))


def describe_exit(code: int) -> str:
    return f"got signal {-code}" if code < 0 else f"exit code {code}"


def failure_text(argv: Sequence[str], problem: str) -> str:
    return f"command '{quote_command(argv)}' {problem}\n"
