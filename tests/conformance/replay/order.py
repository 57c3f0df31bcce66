# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which the recordings of one group are replayed.

An order file `order/GROUP.txt` (slashes as double underscores) lists names, one a line; `*` stands for all that are
not named. Without one: what tells no moment (what only looks before what may change something), then by moments; what
observes the outcome of a step (`X.after`, `X.task.log`) directly behind that step.
"""

from __future__ import annotations

import re
from pathlib import Path

from replay.moments import made_at
from replay.recordings import Recording

ORDER_DIRECTORY = Path(__file__).resolve().parent.parent / "order"

# A command that only looks: replayed before the ones that may change what it sees.
LOOKS = re.compile(
    r"^(cat|ls|stat|grep|corosync-|systemctl is-|pvesh (get|ls|usage)|pvecm (status|nodes|apiver)$|pvecm$|qm (list|config|status)"
    r"|pct (list|config|status)|ha-manager (status|config)|pvesm (status|list)|pveum .*list)"
)


def sort_group(group: str, recordings: list[Recording], directory: Path = ORDER_DIRECTORY) -> list[Recording]:
    """The recordings of one group in the order of the replay."""
    names = read_order(group, directory)
    default = _with_followers(sorted(recordings, key=_default_key))
    if not names:
        return default
    by_name = {recording.name: recording for recording in default}
    listed = [by_name[name] for name in names if name in by_name]
    # A follower that the file does not name stays with its step even when the step is listed.
    free = [recording for recording in default if recording.name not in names]
    placed: list[Recording] = []
    for name in names if "*" in names else [*names, "*"]:
        if name == "*":
            placed.extend(
                recording
                for recording in free
                if _step_of(recording.name, by_name, {item.name for item in listed}) is None
            )
        elif name in by_name:
            placed.append(by_name[name])
            placed.extend(
                recording
                for recording in free
                if _step_of(recording.name, by_name, {item.name for item in listed}) == name
            )
    return placed


def read_order(group: str, directory: Path = ORDER_DIRECTORY) -> list[str]:
    """The names in the group's order file, comments and empty lines left out; empty without a file."""
    path = directory / (group.replace("/", "__") + ".txt")
    if not path.is_file():
        return []
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _default_key(recording: Recording) -> tuple[int, float, str]:
    moment = made_at(recording)
    if moment is None:
        return (0 if _only_looks(recording) else 1, 0.0, recording.name)
    return (1, moment, recording.name)


def _only_looks(recording: Recording) -> bool:
    if recording.kind == "request":
        return recording.raw["method"] == "GET"
    if recording.kind != "command":
        return False
    argv = recording.argv
    text = argv[2] if argv[:2] == ["sh", "-c"] and len(argv) > 2 else " ".join(argv)
    return all(LOOKS.match(part.strip()) for part in re.split(r";|&&|\|\|", text))


def _with_followers(recordings: list[Recording]) -> list[Recording]:
    """Put `X.after` and its like directly behind X."""
    by_name = {recording.name: recording for recording in recordings}
    ordered: list[Recording] = []
    for recording in recordings:
        if _step_of(recording.name, by_name) is None:
            ordered.append(recording)
            ordered.extend(
                other
                for other in sorted(recordings, key=_follower_key)
                if _step_of(other.name, by_name) == recording.name
            )
    return ordered


def _follower_key(recording: Recording) -> tuple[int, str]:
    ranks = ("right-after", "polling", "task.status", "task.log")
    return next((rank for rank, part in enumerate(ranks) if part in recording.name), len(ranks)), recording.name


def _step_of(name: str, by_name: dict[str, Recording], among: set[str] | None = None) -> str | None:
    """The step whose outcome this recording observes: the longest other name before a dot."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        step = ".".join(parts[:length])
        if step in by_name and (among is None or step in among):
            return step
    return None
