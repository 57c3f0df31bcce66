# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ssh command to a node, with a host key that is checked."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any


@dataclass
class NodeAccess:
    """How to reach one node. C(host_keys) are public keys (C(ssh-ed25519 AAAA...)): if given, no other is accepted."""

    host: str
    user: str = "root"
    port: int | None = None
    private_key_file: str | None = None
    executable: str = "ssh"
    arguments: str = ""
    host_keys: Sequence[str] = ()
    check_host_key: bool = True
    become: bool = False
    timeout: int = 10
    python: str = "python3"
    _pins: IO[str] | None = field(default=None, repr=False)  # lives as long as this object

    def command(self, script: str) -> list[str]:
        command = [self.executable, *shlex.split(self.arguments)]
        for option in self._options():
            command += ["-o", option]
        if self.private_key_file:
            command += ["-i", os.path.expanduser(self.private_key_file)]
        remote = shlex.join(["sudo", "-n", self.python, "-c", script] if self.become else [self.python, "-c", script])
        return [*command, self.host, remote]

    def _options(self) -> list[str]:
        options = ["BatchMode=yes", f"ConnectTimeout={self.timeout}", "ServerAliveInterval=15", f"User={self.user}"]
        if self.port:
            options.append(f"Port={self.port}")
        if self.host_keys:
            options += [f"UserKnownHostsFile={self._pin()}", "GlobalKnownHostsFile=/dev/null", "HostKeyAlias=pinned"]
        return [*options, f"StrictHostKeyChecking={'yes' if self.check_host_key or self.host_keys else 'no'}"]

    def _pin(self) -> str:
        if self._pins is None:
            self._pins = tempfile.NamedTemporaryFile("w", prefix="proxmox-host-keys-", encoding="utf-8")  # noqa: SIM115
            self._pins.writelines(f"pinned {key.strip()}\n" for key in self.host_keys)
            self._pins.flush()
        return str(self._pins.name)


def read_access(host: str, option: Callable[[str], Any], own: Mapping[str, Any] | None = None) -> NodeAccess:
    """From a plugin's options, and what an inventory says of this very node, which wins."""
    own = own or {}
    return NodeAccess(
        host=host,
        user=own.get("ansible_user") or option("ssh_user"),
        port=own.get("ansible_port") or option("ssh_port"),
        private_key_file=own.get("ansible_ssh_private_key_file") or option("ssh_private_key_file"),
        arguments=option("ssh_args") or "",
        host_keys=option("ssh_host_keys"),
        check_host_key=option("host_key_checking"),
        become=option("ssh_become"),
    )
