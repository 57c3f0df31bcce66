# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that were seen green need not run again while nothing that they read has changed.

The inputs are the files of the checkout (what git ignores is made from them), the recordings beside it, the environment and the
part's command. Whoever wants everything run: `make test FRESH=1`. With CI=true nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from environments import ROOT, Environment, fingerprint

from .count import Figures
from .parts import Part
from .run import Outcome

Inputs = Mapping[str, str]  # a path, and what stands for its content


def read_inputs(checkout: Path = ROOT) -> Inputs | None:
    """All that parts may read; None where git cannot list it."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if listed.returncode != 0:
        return None
    paths = [name for name in listed.stdout.decode(errors="surrogateescape").split("\0") if name]
    recordings = Path(os.environ.get("PROXMOX_TRUTH") or checkout.parent / "shared" / "truth")
    return {path: content_of(checkout / path) for path in paths} | {
        f"recordings/{file.relative_to(recordings)}": f"{file.stat().st_size} {file.stat().st_mtime_ns}"
        for file in sorted(recordings.rglob("*"))
        if file.is_file()
    }


def content_of(path: Path) -> str:
    if path.is_symlink():
        return f"link {path.readlink()}"
    try:
        return f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError:  # git still lists it, but it is gone
        return "absent"


def digest(part: Part, environment: Environment, inputs: Inputs) -> str:
    relevant = {path: content for path, content in inputs.items() if reads(part, path)}
    text = json.dumps([part.command, fingerprint(environment), relevant], sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def reads(part: Part, path: str) -> bool:
    return not part.reads or path.startswith((*part.reads, "recordings/"))


@dataclass(frozen=True)
class Green:
    digest: str
    figures: Figures
    when: str


class Memory:
    def __init__(self, file: Path, environments: Mapping[str, Environment], inputs: Inputs | None) -> None:
        self._file = file
        self._inputs = inputs
        self._environments = environments
        self._green = self._load()

    def _load(self) -> dict[str, Green]:
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                name: Green(each["digest"], Figures(**each["figures"]), each["when"]) for name, each in stored.items()
            }
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # whatever cannot be read was never seen green

    def recall(self, part: Part) -> Outcome | None:
        green = self._green.get(part.name)
        if self._inputs is None or green is None or green.digest != self._digest(part, self._inputs):
            return None
        return Outcome(part, green.figures, seen=green.when)

    def keep(self, outcomes: Iterable[Outcome], inputs_now: Inputs | None) -> None:
        """Remember what is green; not what was edited meanwhile."""
        for outcome in outcomes:
            part, figures = outcome.part, outcome.figures
            is_green = not figures.failed and not outcome.left_out and figures.skipped == figures.excused
            if self._inputs is None or inputs_now is None or not is_green:
                self._green.pop(part.name, None)
                continue
            before = self._digest(part, self._inputs)
            if before == self._digest(part, inputs_now):
                self._green[part.name] = Green(before, figures, time.strftime("%Y-%m-%d %H:%M"))
        stored = {name: asdict(green) for name, green in self._green.items()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")

    def _digest(self, part: Part, inputs: Inputs) -> str:
        return digest(part, self._environments[part.environment], inputs)
