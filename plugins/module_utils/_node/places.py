# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two places where a node can be read and told to do something: here, and on a member reached by SSH.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import inspect
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Protocol

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import StateUnknown, UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.interpret import interpret, parse_collected
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import collect
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.run import Finished, run

# The collector's own deadlines add up to less than this.
_COLLECT_DEADLINE = 40.0
# Only keys and known hosts: no question is ever asked, no unknown host accepted, and a dead connection ends by itself.
SSH_OPTIONS = (
    "-o", "BatchMode=yes",
    "-o", "StrictHostKeyChecking=yes",
    "-o", "ConnectTimeout=6",
    "-o", "ServerAliveInterval=5",
    "-o", "ServerAliveCountMax=3",
    "-o", "LogLevel=ERROR",
)  # fmt: skip


class Place(Protocol):
    def run(self, argv: Sequence[str], timeout: float, stdin: str = "") -> Finished: ...

    def read(self) -> Reading[Snapshot]: ...


class Here:
    """This node."""

    def run(self, argv: Sequence[str], timeout: float, stdin: str = "") -> Finished:
        return run(argv, timeout, stdin)

    def read(self) -> Reading[Snapshot]:
        # Without a process of its own: each of its readings has a deadline.
        try:
            return Reading(interpret(collect.collect()))
        except (OSError, ValueError) as error:
            return unknown(f"{type(error).__name__}: {error}")


def read_here() -> Snapshot:
    reading = Here().read()
    if reading.value is None:
        raise StateUnknown(f"This node could not be read: {reading.reason}", "Nothing was changed.")
    return reading.value


class Member:
    """Another node, as root with this node's own key (the way C(pvecm add --use_ssh) goes itself)."""

    def __init__(self, address: str, name: str = "") -> None:
        """With C(name) the host key is the one that the cluster has pinned for that member, as in PVE's own calls."""
        self.address = address
        self._options = list(SSH_OPTIONS)
        if name:
            known_hosts = f"/etc/pve/nodes/{name}/ssh_known_hosts"
            self._options += ["-o", f"HostKeyAlias={name}", "-o", f"UserKnownHostsFile={known_hosts}"]
            self._options += ["-o", "GlobalKnownHostsFile=none"]

    @property
    def login(self) -> list[str]:
        """The ssh command; what follows it is for the member's shell."""
        return ["ssh", *self._options, f"root@{self.address}"]

    def run(self, argv: Sequence[str], timeout: float, stdin: str = "") -> Finished:
        return run([*self.login, shlex.join(argv)], timeout, stdin)

    def read(self) -> Reading[Snapshot]:
        return self.start_reading().finish()

    def start_reading(self) -> PendingReading:
        """Ask, and do something else until the answer is there."""
        return PendingReading([*self.login, "python3 -I -"])


class PendingReading:
    """A member that is being read."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._begun = time.monotonic()
        # As standard input, so that nobody has to feed a pipe meanwhile; closed when the answer is there.
        self._script = tempfile.TemporaryFile()  # noqa: SIM115
        self._script.write(inspect.getsource(collect).encode())
        self._script.seek(0)
        self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(argv),
            stdin=self._script,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
        )

    def forget(self) -> None:
        """End it without an answer; nothing if it has ended."""
        if not self._script.closed:
            self._process.kill()
            self._process.communicate()
            self._script.close()

    def finish(self) -> Reading[Snapshot]:
        left = max(0.1, self._begun + _COLLECT_DEADLINE - time.monotonic())
        try:
            stdout, stderr = self._process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return unknown(f"no answer within {_COLLECT_DEADLINE:.0f} seconds")
        finally:
            self._script.close()
        return _snapshot(Finished(self._process.returncode, stdout, stderr))


def _snapshot(done: Finished) -> Reading[Snapshot]:
    if done.rc != 0:
        return unknown(done.stderr.strip() or f"The node's readings ended with {done.rc}.")
    try:
        return Reading(parse_collected(done.stdout))
    except UnreadableText as error:
        return unknown(error.message)
