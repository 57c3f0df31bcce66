#!/usr/bin/env python3
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench-vms: many machines by the collection, on practice nodes that answer as slowly as real ones.

Against three others in one run: the recipe of eight commands over SSH, community.proxmox's proxmox_kvm, and bare `qm create`.
The clock runs from the first task to the end of the last, so that the start of ansible-playbook costs nobody anything. Machines
are created, not started: a start is the same one call for all four (--start measures with it).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(CHECKOUT / "tests" / part) for part in ("tools", "lab", "bench")]

from machine_bench import Bench
from machine_runs import PARTS

from practice_lab import Lab


@contextmanager
def bench_on(name: str, nodes: int, settings: dict[str, bool]) -> Iterator[Bench]:
    """A fresh lab for one part."""
    lab = Lab(name)
    lab.down()
    try:
        lab.up([f"pve{number}" for number in range(1, nodes + 1)], settings=settings)
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            yield Bench(lab, Path(home))
    finally:
        lab.down()


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure virtual machines on practice nodes.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--machines", type=int, default=20, help="machines of the comparison (default: %(default)s)")
    parser.add_argument("--start", action="store_true", help="compare with the start of each machine")
    parser.add_argument("--fleet", default="250,500,1000", help="sizes of the fleet (default: %(default)s)")
    parser.add_argument("--name", default="benchvms", help="name of the labs (default: %(default)s)")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The practice nodes are containers: run this as root.", file=sys.stderr)
        return 2
    subprocess.run(["uptime"], check=False)
    good = True
    for name in options.parts or PARTS:
        part = PARTS[name]
        with bench_on(options.name, part.nodes, part.settings) as bench:
            begun = time.monotonic()
            for ratio in part.measure(bench, options):
                print(ratio, flush=True)
                good = good and ratio.reached
            bench.tell(f"{name}: {time.monotonic() - begun:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
