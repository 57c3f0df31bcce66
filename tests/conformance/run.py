#!/usr/bin/env python3
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the practice nodes against the recordings of real Proxmox nodes and print how many match."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(CHECKOUT / "tests" / "lab")]

from replay.access import use_emulation
from replay.compare import Verdict
from replay.known import read_known
from replay.narrator import replay_all, tell_to_stderr
from replay.recordings import Recording, load_recordings, select
from replay.report import detail_lines, figure_lines, problem_lines, stray_lines, write_json
from replay.scope import read_scope
from replay.stories import plan, read_stories

# A story is as long as its waits; processors matter only while nodes boot.
JOBS = 4


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("PROXMOX_TRUTH") or str(CHECKOUT.parent / "shared" / "truth")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help="globs of groups or single recordings: 'cluster/2-join', 'pmxcfs/*'"
    )
    parser.add_argument("--truth", type=Path, default=Path(default), help="directory of the recordings (%(default)s)")
    parser.add_argument(
        "--diff", "--verbose", "-v", action="store_true", help="show each difference: - real node, + practice node"
    )
    parser.add_argument(
        "--list", action="store_true", help="list the recordings in the order of the replay and do nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts to FILE")
    parser.add_argument("--jobs", type=int, default=JOBS, help="how many stories at a time (%(default)s)")
    parser.add_argument("--lab", default="conform", help="prefix of the labs' names (%(default)s)")
    parser.add_argument(
        "--emulation", type=Path, metavar="DIR", help="another copy of tests/lab/emulation to put into the nodes"
    )
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = parse_arguments(argv)
    recordings = load_recordings(arguments.truth) if arguments.truth.is_dir() else []
    if not recordings:
        print(
            f"conformance: no recordings in {arguments.truth}, nothing to compare (PROXMOX_TRUTH names another directory)"
        )
        return 0
    stories = read_stories()
    placed = plan(stories, recordings)
    wanted = {recording.label for recording in select(recordings, arguments.groups)}
    if arguments.list:
        list_recordings([story.name for story in stories], placed.steps, placed.unplaced, wanted)
        return 0
    if os.geteuid() != 0:
        print("conformance: practice nodes need root", file=sys.stderr)
        return 2
    if arguments.emulation:
        use_emulation(arguments.emulation.resolve())
    started = time.monotonic()
    verdicts = replay_all(stories, placed, wanted, arguments.lab, arguments.jobs, tell_to_stderr)
    scope = read_scope()
    beyond = {recording.label for recording in recordings if not scope.has(recording)}
    verdicts = [replace(verdict, beyond=verdict.label in beyond) for verdict in verdicts]
    return report(verdicts, arguments, time.monotonic() - started)


def report(verdicts: list[Verdict], arguments: argparse.Namespace, seconds: float) -> int:
    known = read_known()
    if arguments.json:
        write_json(arguments.json, verdicts)
    for line in detail_lines(verdicts, known, arguments.diff):
        print(line)
    problems = problem_lines(verdicts, known)
    for line in [*stray_lines(verdicts, known), *problems]:
        print(line)
    print(f"replayed in {seconds:.0f} s")
    for line in figure_lines(verdicts):
        print(line)
    return 1 if problems else 0


def list_recordings(names: list[str], steps: dict[str, list], unplaced: list[Recording], wanted: set[str]) -> None:
    for name in names:
        for step in steps[name]:
            if step.recording is None:
                print(f"{name}: !{' '.join(step.action)}")
            elif step.recording.label in wanted:
                print(f"{name}: {step.recording.label}")
    for recording in unplaced:
        if recording.label in wanted:
            print(f"unplaced: {recording.label}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
