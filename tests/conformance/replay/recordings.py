# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recordings of real nodes: what was asked of which node, and what it answered."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Not recordings: the API schema and the table of median times.
NOT_RECORDINGS = {"apischema", "apischema-flat", "timings"}


@dataclass(frozen=True)
class Recording:
    """One file of the recordings; `group` is its directory, or the file itself where one file holds many steps."""

    group: str
    name: str
    raw: dict[str, Any] = field(compare=False, hash=False)

    @property
    def label(self) -> str:
        return self.group if self.group.endswith("/" + self.name) else f"{self.group}/{self.name}"

    @property
    def node(self) -> str:
        return str(self.raw.get("node") or "pve1")

    @property
    def kind(self) -> str:
        """How this recording is replayed; the keys of the file decide, so new files need no registration."""
        keys = self.raw.keys()
        for kind, required in (
            ("command", {"argv", "rc"}),
            ("raw-request", {"raw_body"}),
            ("request", {"method", "path"}),
            ("operations", {"ops"}),
            ("playbook", {"plays"}),
            ("polling", {"seen"}),
            ("simultaneous", {"results"}),
            ("duration", {"seconds"}),
        ):
            if required <= keys:
                return kind
        return "unknown"

    @property
    def argv(self) -> list[str]:
        argv = self.raw["argv"]
        return ["sh", "-c", argv] if isinstance(argv, str) else [str(word) for word in argv]

    @property
    def stdin(self) -> str | None:
        stdin = self.raw.get("stdin")
        return None if stdin is None else str(stdin)

    @property
    def seconds(self) -> float:
        return float(self.raw.get("wall_s") or self.raw.get("seconds") or 0.0)


def load_recordings(truth: Path) -> list[Recording]:
    """Read every recording below `truth`; a file that cannot be read as one still counts, as kind "unknown"."""
    found: list[Recording] = []
    for path in sorted(truth.rglob("*.json")):
        relative = path.relative_to(truth)
        if len(relative.parts) < 2 or path.stem in NOT_RECORDINGS:
            continue
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raw = {"unreadable": str(error)}
        if not isinstance(raw, dict):
            raw = {"unreadable": f"a {type(raw).__name__}, not an object"}
        group = "/".join(relative.parts[:-1]) if len(relative.parts) > 2 else str(relative.with_suffix(""))
        # Two loose command files of one kind of experiment belong together; files with many steps stand alone.
        if len(relative.parts) == 2 and "argv" in raw:
            group = f"{relative.parts[0]}/commands"
        found.append(Recording(group=group, name=path.name.removesuffix(".json"), raw=raw))
    return found


def select(recordings: list[Recording], patterns: list[str]) -> list[Recording]:
    """Those whose group or label matches one of the globs; all of them without a glob."""
    if not patterns:
        return list(recordings)
    return [
        recording
        for recording in recordings
        if any(
            fnmatch.fnmatchcase(recording.group, pattern) or fnmatch.fnmatchcase(recording.label, pattern)
            for pattern in patterns
        )
    ]
