#!/usr/bin/env python3
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break one behaviour of the emulation on purpose and see the figure drop: a suite that cannot fail proves nothing.

A mutation is a replacement in one file of a copy of tests/lab/emulation. The copy is put into the nodes instead of the
checkout's; nothing in the emulation knows of it. Each mutation names the recordings that must notice.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
EMULATION = HERE.parent / "lab" / "emulation"


@dataclass(frozen=True)
class Mutation:
    """`before` must stand in `file` exactly once, else the mutation has outlived the code it breaks."""

    name: str
    file: str
    before: str
    after: str
    notices: tuple[str, ...]


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "pvecm add tells by its exit code that it failed",
        "practice_pve/commands/pvecm.py",
        '    run_worker(call, "clusterjoin", "", work)\n',
        '    work("")\n',
        (
            "cluster/0-join-failures-standalone/add-no-password-eof",
            "cluster/0-join-failures-standalone/add-unreachable",
        ),
    ),
    Mutation(
        "a refused login is answered at once",
        "practice_pve/daemons/dispatch.py",
        "if status == 401 else 0.0",
        "if status == 499 else 0.0",
        ("cluster/0-join-failures-standalone/add-wrong-password",),
    ),
    Mutation(
        "chmod is allowed in /etc/pve",
        "practice_pve/pmxcfs/filesystem.py",
        "if stat.S_IMODE(mode) != (0o600 if is_private(path) else 0o640):",
        "if stat.S_IMODE(mode) > 0o7777:",
        ("pmxcfs/quirks-standalone",),
    ),
)


def mutated_copy(mutation: Mutation, directory: Path) -> Path:
    """A copy of the emulation with the one behaviour broken."""
    copy = directory / "emulation"
    shutil.copytree(EMULATION, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / mutation.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutation.before) != 1:
        raise ValueError(f"{mutation.name}: {mutation.file} no longer has exactly one {mutation.before!r}")
    path.write_text(source.replace(mutation.before, mutation.after), encoding="utf-8")
    return copy


def states(labels: tuple[str, ...], emulation: Path, truth: Path | None, lab: str) -> dict[str, tuple[str, list[str]]]:
    """State and differences of each recording when replayed on nodes with this emulation."""
    with tempfile.TemporaryDirectory() as directory:
        answers = Path(directory) / "verdicts.json"
        argv = [
            sys.executable,
            str(HERE / "run.py"),
            "--emulation",
            str(emulation),
            "--json",
            str(answers),
            "--lab",
            lab,
        ]
        argv += ["--truth", str(truth)] if truth else []
        subprocess.run([*argv, *labels], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if not answers.is_file():
            return {}
        return {
            verdict["label"]: (verdict["state"], verdict["differences"]) for verdict in json.loads(answers.read_text())
        }


@cache
def sound_states(truth: Path | None, lab: str) -> dict[str, tuple[str, list[str]]]:
    """What all mutations' recordings look like on the unbroken emulation, replayed once."""
    labels = tuple(sorted({label for mutation in MUTATIONS for label in mutation.notices}))
    return states(labels, EMULATION, truth, f"{lab}s")


def missed(mutation: Mutation, truth: Path | None, lab: str) -> list[str]:
    """The recordings that should have noticed and did not: empty when the suite goes red as it must.

    A recording that differs already without the mutation notices by differing in another way.
    """
    sound = sound_states(truth, lab)
    with tempfile.TemporaryDirectory() as directory:
        broken = states(mutation.notices, mutated_copy(mutation, Path(directory)), truth, f"{lab}b")
    return [
        label
        for label in mutation.notices
        if label not in broken or broken[label] == sound.get(label) or broken[label][0] == "matched"
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truth", type=Path, help="directory of the recordings (as for run.py)")
    parser.add_argument("--lab", default="mutate", help="prefix of the labs' names (%(default)s)")
    parser.add_argument("names", nargs="*", metavar="WORD", help="only mutations whose name contains a WORD")
    arguments = parser.parse_args(argv)
    chosen = [item for item in MUTATIONS if not arguments.names or any(word in item.name for word in arguments.names)]
    failures = 0
    for mutation in chosen:
        unnoticed = missed(mutation, arguments.truth, arguments.lab)
        failures += bool(unnoticed)
        print(
            f"{'NOT NOTICED' if unnoticed else 'noticed'}: {mutation.name}"
            + (f" ({', '.join(unnoticed)})" if unnoticed else ""),
            flush=True,
        )
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
