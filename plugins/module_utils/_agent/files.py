# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in a guest by its agent, within Proxmox VE's limits."""

from __future__ import annotations

import base64
import hashlib

from .._session.errors import Invalid, SessionError, Unreachable
from .agent import Agent, AgentError, bytes_of, wire_text

#: One call writes at most 60 KiB of base64 text.
WRITE_LIMIT = 45 * 1024
#: What a program is given at a time: 64 KiB of base64 text.
PIECE = 48 * 1024
_MISSING = ("No such file or directory", "cannot find the file", "cannot find the path")
# Appending needs a program in the guest: Proxmox VE's own call always starts a file anew.
_APPEND = 'base64 -d >> "$1"'
_BEGIN = 'umask 077 && : > "$1"'
_FINISH = 'if [ -n "$3" ]; then chmod "$3" "$1"; elif [ -e "$2" ]; then chmod "$(stat -c %a "$2")" "$1"; else chmod 644 "$1"; fi && mv -f "$1" "$2"'


def read_file(agent: Agent, path: str) -> bytes | None:
    """A file's content; None if there is none."""
    content = b""
    while True:
        params = {"offset": len(content)} if content else {}
        try:
            answer = agent.command("file-read", "GET", file=wire_text(path), **params)
        except Invalid as error:
            raise AgentError(
                f"{path} has more than {len(content)} bytes, and this release of Proxmox VE reads no further"
            ) from error
        except (AgentError, SessionError) as error:
            if isinstance(error, Unreachable):
                raise AgentError(f"{path} cannot be read: Proxmox VE broke off ({error.message})") from error
            if any(words in str(error) for words in _MISSING):
                return None
            raise
        part = bytes_of(answer.get("content"))
        content += part
        if not int(answer.get("truncated") or 0) or not part:
            return content


def write_file(agent: Agent, path: str, content: bytes, mode: str = "") -> None:
    """Small ones by one call, as the guest's system makes them; large ones, and those with a mode, piece by piece beside the
    old file, which is replaced at the end."""
    if len(content) <= WRITE_LIMIT and not mode:
        agent.command("file-write", file=wire_text(path), content=base64.b64encode(content).decode(), encode=False)
        return
    writer = FileWriter(agent, path)
    for start in range(0, len(content), PIECE):
        writer.add(content[start : start + PIECE])
    writer.finish(mode)


class FileWriter:
    """Writes a file piece by piece beside the old one."""

    def __init__(self, agent: Agent, path: str) -> None:
        self._agent = agent
        self._path = path
        # The same at each attempt: what a killed run has left is written over.
        self._beside = f"{path}.{hashlib.sha256(path.encode()).hexdigest()[:8]}.part"
        self._shell(_BEGIN, self._beside)

    def add(self, piece: bytes) -> None:
        """At most PIECE bytes."""
        self._shell(_APPEND, self._beside, stdin=base64.b64encode(piece))

    def finish(self, mode: str = "") -> None:
        """Put it in the old file's place, with its permissions, or those that were named."""
        self._shell(_FINISH, self._beside, self._path, mode)

    def _shell(self, script: str, *arguments: str, stdin: bytes | None = None) -> None:
        done = self._agent.run(["/bin/sh", "-c", script, "sh", *arguments], stdin=stdin, timeout=120)
        if done.code != 0:
            words = done.stderr.decode("utf-8", "replace").strip() or f"exit status {done.status}"
            raise AgentError(f"{self._path} cannot be written: {words}")
