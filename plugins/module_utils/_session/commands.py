# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same calls by C(pvesh), for when the daemons of a node are down. Slow (0.6 s a call) but needs pmxcfs only."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any
from urllib.parse import unquote

from . import encoding
from .classify import classify_command
from .errors import AnswerLost, Unreachable

_COMMANDS = {"GET": "get", "POST": "create", "PUT": "set", "DELETE": "delete"}
READ_SECONDS = 120.0
# pvesh waits for the end of a task.
WRITE_SECONDS = 4 * 3600.0


def call_pvesh(method: str, path: str, params: dict[str, Any]) -> Any:
    """One call; raises the errors that HTTP would have given."""
    command = _COMMANDS[method]
    # pvesh takes paths as they are, only HTTP has them quoted.
    line = ["pvesh", command, unquote(path), *encoding.options(params), "--output-format", "json"]
    sent_at = time.time()
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            line,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=READ_SECONDS if method == "GET" else WRITE_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    except FileNotFoundError as error:
        raise Unreachable("there is no pvesh here", "this host is no Proxmox VE node", method, path) from error
    except OSError as error:
        raise Unreachable(f"pvesh cannot be run: {error.strerror}", "", method, path) from error
    except subprocess.TimeoutExpired as error:
        raise _lost(method, path, "pvesh did not come back", sent_at) from error
    if done.returncode < 0:
        raise _lost(method, path, f"pvesh was killed by signal {-done.returncode}", sent_at)
    if done.returncode:
        failure = classify_command(done.stderr.decode("utf-8", "replace"))
        failure.method, failure.path = method, path
        raise failure
    return encoding.read_command_output(command, done.stdout.decode("utf-8", "replace"))


def _lost(method: str, path: str, reason: str, sent_at: float) -> AnswerLost | Unreachable:
    if method == "GET":
        return Unreachable(reason, "", method, path)
    remedy = "the work may have been done or may still go on: look at the object and the task list"
    return AnswerLost(reason, remedy, method, path, sent_at=sent_at)
