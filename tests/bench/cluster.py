#!/usr/bin/env python3
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench-cluster: the collection against a bare script of pvecm calls, on practice nodes that answer as slowly as real ones.

Both create a cluster of the same size on fresh nodes, in turn, so that what else the machine does meets both. The script's
keys are spread before its clock starts; the collection's time holds everything that its playbook does. Beside each time stands
what it took of the processors, controller and nodes together: other work on the machine changes that little.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(CHECKOUT / "tests" / "tools"), str(CHECKOUT / "tests" / "lab")]

from playbook_runs import Controller, PlayRun
from practice_lab import Lab

PLAYBOOK = "create-proxmox-cluster"
JOIN_TASK = "baremetal.proxmox.proxmox_cluster_join : Join the cluster"
# Nodes that boot at the same time: more starve each other.
AT_ONCE = 4
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
        for start in range(0, len(self.names), AT_ONCE):
            self.lab.up(self.names[start : start + AT_ONCE], settings={"call_costs": True})
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

    def timed(self, argv: Sequence[str], environment: dict[str, str] | None = None) -> tuple[PlayRun, Cost]:
        processors, begun = self._processor_seconds(), time.monotonic()
        run = self.controller.run(argv, environment, patience=120.0 + 60 * len(self.names))
        cost = Cost(time.monotonic() - begun, self._processor_seconds() - processors)
        if run.rc != 0:
            print(run.output[-6000:])
            sys.exit("the run failed; there is nothing to measure")
        return run, cost

    def _processor_seconds(self) -> float:
        """Of everything that ever ran in the nodes and of the controllers: a process that ended is counted by its parent."""
        stats = "".join(
            node.run(["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true"]).stdout for node in self.lab.nodes()
        )
        ticks = sum(sum(map(int, line.rpartition(")")[2].split()[11:15])) for line in stats.splitlines())
        controllers = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ticks / os.sysconf("SC_CLK_TCK") + controllers.ru_utime + controllers.ru_stime


@dataclass(frozen=True)
class Cost:
    """C(processors): seconds of user and system time."""

    seconds: float
    processors: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s (processors {self.processors:.1f} s)"


def task_times(log: str) -> list[tuple[float, str]]:
    """Seconds from the start of each task to that of the next, by the time stamps of Ansible's log."""
    stamped = re.findall(
        r"^\d+-\d+-\d+ (\d+):(\d+):(\d+),(\d+) .*?\| (?:TASK \[([^\]]*)\]|(PLAY RECAP))", log, re.MULTILINE
    )
    starts = [(int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000, task) for h, m, s, ms, task, _ in stamped]
    ends = [start for start, _ in starts[1:]]
    return [(end - start, task) for (start, task), end in zip(starts, ends, strict=False)]


def measure_bare(name: str, count: int) -> Cost:
    with Fresh(name, count) as fresh:
        ssh = fresh.spread_keys()
        first, *others = fresh.names
        script = str(CHECKOUT / "tests" / "bench" / "bare_cluster.sh")
        _run, cost = fresh.timed([script, "bench", ssh, first, fresh.lab.node(first).ip, *others])
        return cost


@dataclass(frozen=True)
class Measured:
    """The first run, a second one, which must not change anything, and the seconds of each task of both."""

    created: Cost
    unchanged: Cost
    tasks: list[tuple[float, str]]

    @property
    def joins(self) -> list[float]:
        return [seconds for seconds, task in self.tasks if task.startswith(JOIN_TASK)]


def measure_collection(name: str, count: int) -> Measured:
    with Fresh(name, count) as fresh:
        log = fresh.controller.home / "log"
        environment = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_LOG_PATH": str(log)}
        command = fresh.controller.playbook_command(PLAYBOOK)
        _first, created = fresh.timed(command, environment)
        second, unchanged = fresh.timed(command, environment)
        if set(second.changed.values()) != {0}:
            print(second.output[-6000:])
            sys.exit("the second run changed something")
        return Measured(created, unchanged, task_times(log.read_text(encoding="utf-8")))


def compare(name: str, count: int, rounds: int, profile: bool) -> bool:
    ratios, unchanged = [], []
    for number in range(1, rounds + 1):
        bare = measure_bare(f"{name}bare", count)
        tell(f"round {number}: bare script {bare}")
        measured = measure_collection(f"{name}play", count)
        tell(f"round {number}: collection {measured.created}, again {measured.unchanged}")
        if profile:
            print("\n".join(f"{seconds:7.2f} {task}" for seconds, task in measured.tasks))
        ratios.append(measured.created.seconds / bare.seconds)
        unchanged.append(measured.unchanged.seconds)
    ratio, again_seconds = statistics.median(ratios), statistics.median(unchanged)
    print(f"ratio cluster-creation: {ratio:.2f} (goal <={CREATION_GOAL})")
    print(f"ratio cluster-unchanged-seconds: {again_seconds:.1f} (goal <={UNCHANGED_GOAL:.0f})", flush=True)
    return ratio <= CREATION_GOAL and again_seconds <= UNCHANGED_GOAL


def grow(name: str, counts: list[int]) -> None:
    """How the time grows with the number of nodes, and with each one that joins."""
    for count in counts:
        measured = measure_collection(f"{name}grow", count)
        others = measured.created.seconds - sum(measured.joins)
        tell(
            f"{count} nodes in one run: {measured.created}; all but the joins {others:.1f} s; unchanged {measured.unchanged}"
        )
        tell(f"each join: {' '.join(f'{seconds:.1f}' for seconds in measured.joins)} s")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the creation of a cluster on practice nodes.")
    parser.add_argument("--nodes", type=int, default=3, help="nodes of the comparison (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="how often each is measured, 0 for not at all (default: %(default)s)"
    )
    parser.add_argument("--grow", default="8", help="sizes for the scale part, like 4,8,16; empty for none")
    parser.add_argument("--name", default="bench", help="name of the labs (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="print the time of each task")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The practice nodes are containers: run this as root.", file=sys.stderr)
        return 2
    subprocess.run(["uptime"], check=False)
    good = not options.rounds or compare(options.name, options.nodes, options.rounds, options.profile)
    grow(options.name, [int(count) for count in options.grow.split(",") if count])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
