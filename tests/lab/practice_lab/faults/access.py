# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of SSH access: dropped sessions, another host key, another root password."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

from ..identity import make_host_keys, set_password
from ..processes import PROC, all_pids, kill_all, namespace_of
from .base import Case, Fault, Parameter


class DropSsh(Fault):
    name = "drop-ssh"
    help = "break every open SSH session of a node at once; new ones are accepted"
    lasting = False

    def apply(self, case: Case) -> dict[str, Any]:
        sessions = self.sessions(case)
        kill_all(sessions)
        return {"sessions": len(sessions)}

    @staticmethod
    def sessions(case: Case) -> set[int]:
        """The processes that hold the connections. Newer sshd have a program of their own for them, older ones a title."""
        leader = case.node.leader()
        own = namespace_of(leader, "pid") if leader is not None else None
        found = set()
        for pid in all_pids():
            if own is None or namespace_of(pid, "pid") != own:
                continue
            try:
                name = (PROC / str(pid) / "comm").read_text().strip()
                title = (PROC / str(pid) / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name in ("sshd-session", "sshd-auth") or (name == "sshd" and b"[listener]" not in title):
                found.add(pid)
        return found


class HostKey(Fault):
    name = "host-key"
    help = "give a node new SSH host keys, as after a reinstallation that nobody announced"

    def apply(self, case: Case) -> dict[str, Any]:
        directory = case.node.root / "etc/ssh"
        old = {key.name: base64.b64encode(key.read_bytes()).decode() for key in directory.glob("ssh_host_*")}
        make_host_keys(case.node.root)
        restart_ssh(case)
        return {"keys": old}

    def heal(self, case: Case) -> None:
        directory: Path = case.node.root / "etc/ssh"
        for name, content in case.undo.get("keys", {}).items():
            (directory / name).write_bytes(base64.b64decode(content))
        restart_ssh(case)


class RootPassword(Fault):
    name = "password"
    help = "change a node's root password to something that nobody knows (or to --password-file's content)"
    parameters = (Parameter("password_file", "file with the new password"),)

    def apply(self, case: Case) -> dict[str, Any]:
        given = case.options["password_file"]
        set_password(case.node.root, Path(given).read_text().rstrip("\n") if given else secrets.token_urlsafe(16))
        return {}

    def heal(self, case: Case) -> None:
        set_password(case.node.root, case.node.spec.password)


def restart_ssh(case: Case) -> None:
    """Make sshd read its keys again; open sessions stay open."""
    if case.node.leader() is not None:
        case.must("systemctl", "restart", "ssh.service")


FAULTS: list[Fault] = [DropSsh(), HostKey(), RootPassword()]
