# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3 -m gate [TOPIC or PART ...]`: run the whole gate, or the named parts of it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from types import FrameType

import environments

from .machine import raise_inotify_limit, remove_dead_labs
from .memory import Memory, read_inputs
from .parts import PARTS, Need, Part
from .report import progress, report
from .run import LOGS, Outcome, Runner


def select(names: list[str]) -> list[Part]:
    """The parts with these names or topics, all of them when there is no name."""
    known = {part.name for part in PARTS} | {part.topic for part in PARTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"gate: no part or topic {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [part for part in PARTS if not names or part.name in names or part.topic in names]


def describe_parts() -> str:
    return "\n".join(f"{part.name:<15} {part.topic:<12} {part.count.value}" for part in PARTS)


def prepare_machine() -> None:
    said = raise_inotify_limit()
    if said:
        print(said, flush=True)
    clear_machine()


def clear_machine() -> None:
    for said in remove_dead_labs():
        print(said, flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="gate", description="Run the project's gate, or parts of it.")
    parser.add_argument("names", nargs="*", metavar="PART", help="a part or a topic (default: all of them)")
    parser.add_argument("--list", action="store_true", help="list the parts")
    parser.add_argument("--workers", type=int, default=max(2, os.cpu_count() or 2), help="parts at a time")
    arguments = parser.parse_args(argv)
    if arguments.list:
        print(describe_parts())
        return 0

    strict = os.environ.get("CI", "").lower() in ("1", "true", "yes")
    here = {environment.name: environment for environment in environments.environments()}
    environments.make_all(list(here.values()))
    parts = select(arguments.names)
    notes = [environments.describe(environment) for environment in here.values()]
    if "oldest" not in here and any(part.environment == "oldest" for part in parts):
        notes.append("one combination of Python and ansible-core here, so everything ran on that one")
    parts = [part for part in parts if part.environment in here]

    def tell(outcome: Outcome) -> None:
        print(progress(outcome, strict), flush=True)

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # Also where a shell in the background had told it to ignore an interrupt: what the gate starts would ignore it too.
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    memory = Memory(LOGS / "green.json", here, read_inputs())
    # Who names a part wants to see it run.
    may_recall = not strict and not arguments.names and not os.environ.get("FRESH")
    recalled = {part: outcome for part in parts if may_recall and (outcome := memory.recall(part))}
    for outcome in recalled.values():
        tell(outcome)
    to_run = [part for part in parts if part not in recalled]
    has_nodes = os.geteuid() == 0 and any(Need.ROOT in part.needs for part in to_run)
    try:
        if has_nodes:
            prepare_machine()
        ran = Runner(here, tell, arguments.workers).run(to_run)
    except KeyboardInterrupt:
        print("gate: interrupted", file=sys.stderr)
        return 130
    finally:
        if has_nodes:
            clear_machine()
    memory.keep(ran, read_inputs())
    by_part = recalled | {outcome.part: outcome for outcome in ran}
    outcomes = [by_part[part] for part in parts if part in by_part]
    lines, well = report(outcomes, notes, strict)
    print("\n".join(lines), flush=True)
    (LOGS / "summary").write_text(f"{lines[-1]}\n", encoding="utf-8")
    return 0 if well and len(outcomes) == len(parts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
