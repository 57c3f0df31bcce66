#!/usr/bin/env python3
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench-cluster: the collection against a bare script of pvecm calls, on practice nodes that answer as slowly as real ones.

Both create a cluster of the same size on fresh nodes, in turn, so that what else the machine does meets both. The script's
keys are spread before its clock starts; the collection's time holds everything that its playbook does.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(CHECKOUT / "tests" / "tools"), str(CHECKOUT / "tests" / "lab")]

from playbook_runs import Controller, PlayRun
from practice_lab import Lab

PLAYBOOK = "create-proxmox-cluster"
CREATION_GOAL = 1.3
UNCHANGED_GOAL = 8.0
SPREAD_KEYS = "cat > /root/.ssh/known_hosts; cat /root/.ssh/id_rsa.pub"


def tell(text: str) -> None:
    load = os.getloadavg()[0]
    print(f"[{time.strftime('%H:%M:%S')} load {load:.1f}] {text}", flush=True)


def names_of(count: int) -> list[str]:
    return [f"pve{number}" for number in range(1, count + 1)]


class Fresh:
    """A lab of fresh nodes and its controller, for one measurement."""

    def __init__(self, name: str, count: int) -> None:
        self.lab = Lab(name)
        self.names = names_of(count)
        self._home = tempfile.TemporaryDirectory(prefix="bench-")

    def __enter__(self) -> Fresh:
        self.lab.down()
        self.lab.up(self.names, settings={"call_costs": True})
        self.controller = Controller(self.lab, Path(self._home.name))
        self.controller.write_inventory(self.names)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.down()
        self._home.cleanup()

    def spread_keys(self) -> str:
        """What the bare script takes for granted: who may log in where, and the host keys. Returns its ssh command."""
        nodes = self.lab.nodes()
        public = self.controller.key.with_suffix(".pub").read_text()
        hosts = "".join(
            f"{node.ip},{node.name} {node.run(['cat', '/etc/ssh/ssh_host_ed25519_key.pub']).check().stdout}"
            for node in nodes
        )
        self.controller.known_hosts.write_text(hosts)
        keys = [node.run(["sh", "-c", SPREAD_KEYS], stdin=hosts).check().stdout for node in nodes]
        for node in nodes:
            node.run(["sh", "-c", "cat >> /etc/pve/priv/authorized_keys"], stdin="".join([public, *keys])).check()
        control = Path(self._home.name) / "control-%h"
        options = f"-o UserKnownHostsFile={self.controller.known_hosts} -o ControlMaster=auto -o ControlPath={control}"
        return f"ssh -F none -i {self.controller.key} {options} -o ControlPersist=20s -o LogLevel=ERROR"


def seconds_of(run: PlayRun, begun: float) -> float:
    elapsed = time.monotonic() - begun
    if run.rc != 0:
        print(run.output[-6000:])
        sys.exit("the run failed; there is nothing to measure")
    return elapsed


def task_times(log: str) -> str:
    """Seconds from the start of each task to that of the next, by the time stamps of Ansible's log."""
    stamped = re.findall(
        r"^\d+-\d+-\d+ (\d+):(\d+):(\d+),(\d+) .*?\| (?:TASK \[([^\]]*)\]|(PLAY RECAP))", log, re.MULTILINE
    )
    starts = [(int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000, task) for h, m, s, ms, task, _ in stamped]
    ends = [start for start, _ in starts[1:]]
    return "\n".join(f"{end - start:7.2f} {task}" for (start, task), end in zip(starts, ends, strict=False))


def measure_bare(name: str, count: int) -> float:
    with Fresh(name, count) as fresh:
        ssh = fresh.spread_keys()
        first, *others = fresh.names
        script = str(CHECKOUT / "tests" / "bench" / "bare_cluster.sh")
        begun = time.monotonic()
        run = fresh.controller.run([script, "bench", ssh, first, fresh.lab.node(first).ip, *others])
        return seconds_of(run, begun)


def measure_collection(name: str, count: int, profile: bool = False) -> tuple[float, float]:
    """Seconds of the first run, and of a second one, which must not change anything."""
    with Fresh(name, count) as fresh:
        log = fresh.controller.home / "log"
        environment = {"ANSIBLE_FORKS": str(max(5, count))} | ({"ANSIBLE_LOG_PATH": str(log)} if profile else {})
        command = fresh.controller.playbook_command(PLAYBOOK)
        found = []
        for _ in ("creation", "unchanged"):
            begun = time.monotonic()
            run = fresh.controller.run(command, environment, patience=120.0 + 60 * count)
            found.append(seconds_of(run, begun))
            if profile:
                print(task_times(log.read_text(encoding="utf-8")))
                log.unlink()
        if set(run.changed.values()) != {0}:
            print(run.output[-6000:])
            sys.exit("the second run changed something")
        return found[0], found[1]


def compare(name: str, count: int, rounds: int, profile: bool) -> bool:
    bare, created, unchanged = [], [], []
    for number in range(1, rounds + 1):
        bare.append(measure_bare(f"{name}bare", count))
        tell(f"round {number}: bare script {bare[-1]:.1f} s")
        first, second = measure_collection(f"{name}play", count, profile)
        created.append(first)
        unchanged.append(second)
        tell(f"round {number}: collection {first:.1f} s, again {second:.1f} s")
    ratio = statistics.median(mine / theirs for mine, theirs in zip(created, bare, strict=True))
    again = statistics.median(unchanged)
    print(f"ratio cluster-creation: {ratio:.2f} (goal <={CREATION_GOAL})")
    print(f"ratio cluster-unchanged-seconds: {again:.1f} (goal <={UNCHANGED_GOAL:.0f})", flush=True)
    return ratio <= CREATION_GOAL and again <= UNCHANGED_GOAL


def grow(name: str, counts: list[int]) -> None:
    """How the time grows with the number of nodes."""
    for count in counts:
        created, unchanged = measure_collection(f"{name}grow", count)
        per_join = created / count
        tell(f"{count} nodes in one run: {created:.1f} s ({per_join:.1f} s a node), unchanged {unchanged:.1f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the creation of a cluster on practice nodes.")
    parser.add_argument("--nodes", type=int, default=3, help="nodes of the comparison (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--grow", default="8", help="sizes for the scale part, like 4,8,16; empty for none")
    parser.add_argument("--name", default="bench", help="name of the labs (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="print the playbook's output with the time of each task")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The practice nodes are containers: run this as root.", file=sys.stderr)
        return 2
    subprocess.run(["uptime"], check=False)
    good = compare(options.name, options.nodes, options.rounds, options.profile)
    grow(options.name, [int(count) for count in options.grow.split(",") if count])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
