# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection asks of Proxmox VE (`scope.txt`), and whether a recording is about that."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from replay.recordings import Recording

SCOPE_FILE = Path(__file__).resolve().parent.parent / "scope.txt"
# The parts of the truth whose share is counted within the scope; the others are held to the recordings as a whole.
SCOPED_PARTS = frozenset({"vm", "api"})
PROGRAMS = frozenset(
    {"pvesh", "qm", "pct", "pvesm", "pveum", "pvecm", "ha-manager", "pveversion", "pveam", "vzdump", "qmrestore"}
)
PVESH_METHODS = {"get": "GET", "create": "POST", "set": "PUT", "delete": "DELETE"}
SEPARATORS = frozenset({";", "&&", "||", "|", "&", "(", ")"})


@dataclass(frozen=True)
class Scope:
    """Calls of the API and commands without a path."""

    calls: frozenset[tuple[str, str]]
    commands: frozenset[tuple[str, ...]]

    @cached_property
    def _patterns(self) -> dict[str, list[re.Pattern[str]]]:
        patterns: dict[str, list[re.Pattern[str]]] = {}
        for method, path in self.calls:
            pattern = re.escape(path).replace(re.escape("{}"), "[^/]+")
            patterns.setdefault(method, []).append(re.compile(pattern))
        return patterns

    def has_call(self, method: str, path: str) -> bool:
        plain = path.partition("?")[0].rstrip("/")
        return any(pattern.fullmatch(plain) for pattern in self._patterns.get(method, ()))

    def has_command(self, words: list[str]) -> bool:
        """`words` begin with the program's name. A command with too few words is its usage text: not asked for."""
        if words[0] == "pvesh":
            return len(words) > 2 and words[1] in PVESH_METHODS and self.has_call(PVESH_METHODS[words[1]], words[2])
        return any(tuple(words[:length]) in self.commands for length in (1, 2, 3, 4))

    def has(self, recording: Recording) -> bool:
        """Whether all that the recording asks is in the scope; what asks nothing of Proxmox VE (`cat FILE`) is."""
        if recording.group.split("/", 1)[0] not in SCOPED_PARTS:
            return True
        if recording.kind == "request":
            return self.has_call(str(recording.raw["method"]), str(recording.raw["path"]))
        if recording.kind != "command":
            return True
        return all(self.has_command(words) for words in proxmox_commands(recording.argv))


def read_scope(path: Path = SCOPE_FILE) -> Scope:
    """The list of calls; a line of another form is an error of the file."""
    calls: set[tuple[str, str]] = set()
    commands: set[tuple[str, ...]] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        call, _equals, faces = content.partition(" = ")
        words = call.split()
        if words[0] in PVESH_METHODS.values() and len(words) == 2:
            calls.add((words[0], words[1]))
            commands.update(tuple(face.split()) for face in faces.split(",") if face.strip())
        elif words[0] in PROGRAMS and not faces:
            commands.add(tuple(words))
        else:
            raise ValueError(f"{path}:{number}: neither 'METHOD PATH [= COMMAND, ...]' nor a command: {content}")
    return Scope(frozenset(calls), frozenset(commands))


def proxmox_commands(argv: list[str]) -> list[list[str]]:
    """The calls of Proxmox VE's programs in a command line, each from the program's name on."""
    if argv[:2] != ["sh", "-c"] or len(argv) < 3:
        return [argv] if argv and argv[0].rpartition("/")[2] in PROGRAMS else []
    lexer = shlex.shlex(argv[2].replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = []
    begins = True
    for word in lexer:
        if word in SEPARATORS:
            begins = True
        elif begins and word in PROGRAMS:
            found.append([word])
            begins = False
        elif begins:
            begins = word in {"do", "then", "!", "{"}
            if not begins:
                found.append([])
        elif found:
            found[-1].append(word)
    return [words for words in found if words and words[0] in PROGRAMS]
