# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pvecm updatecerts`: bounded to 80 s in a child process, because I/O on /etc/pve may hang for ever."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from practice_pve.cluster.node_files import make_local_files, make_watched_directories, update_certificates_and_ssh
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError

LIMIT = 80
TIMEOUT_TEXT = (
    "got timeout when trying to ensure cluster certificates and base file hierarchy is set up - "
    "no quorum (yet) or hung pmxcfs?\n"
)


def update_certificates(force: bool, silent: bool, unmerge: bool) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _run_in_child(writer, force, silent, unmerge)
    os.close(writer)
    outcome = b""
    expired = False
    try:
        readable, _, _ = select.select([reader], [], [], LIMIT)
        if readable:
            outcome = os.read(reader, 65536)
        expired = not readable
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if outcome:
        raise ApiError(json.loads(outcome))
    if expired:
        if not silent:
            raise ApiError(TIMEOUT_TEXT)
        print(TIMEOUT_TEXT, end="", file=sys.stderr, flush=True)


def _run_in_child(writer: int, force: bool, silent: bool, unmerge: bool) -> None:
    """Never returns. Leaves without flushing, as the real one: into a pipe, the last lines printed are lost."""
    exit_code = 97
    try:
        make_local_files()
        _wait_until_writable(silent)
        update_certificates_and_ssh(force, silent, unmerge)
        make_watched_directories()
        exit_code = 0
    except ApiError as error:
        exit_code = 1
        os.write(writer, json.dumps(error.message).encode())
    finally:
        # Also for errors nobody foresaw: the child must not run on into the parent's code.
        if exit_code == 97:
            os.write(writer, json.dumps(f"practice node: internal error: {sys.exc_info()[1]!r}\n").encode())
        os._exit(exit_code)


def _wait_until_writable(silent: bool) -> None:
    rounds = 0
    while not client.is_quorate():
        if not silent and rounds % 50 == 0:
            print("waiting for pmxcfs mount to appear and get quorate...")
        rounds += 1
        time.sleep(0.1)
