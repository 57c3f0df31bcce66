# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab, its controller, and a clock for playbooks and for the module inside them."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from module_runs import Playground
from playbook_runs import BINARIES
from practice_lab import Lab

HERE = Path(__file__).resolve().parent
NODE = "pve1"
IMAGE = "local:import/bench.raw"
IMAGE_PATH = "/var/lib/vz/import/bench.raw"
IMAGE_MEGABYTES = 64
MEASURES = "/var/tmp/measures"
INTERPRETER = "/usr/local/bin/measuring-python"
# Stands for python3 on the node, and notes how long each module ran and how much memory it took.
MEASURING_PYTHON = f"""#!/usr/bin/python3
import os, sys, time
begun = time.monotonic()
child = os.spawnv(os.P_NOWAIT, "/usr/bin/python3", ["python3", *sys.argv[1:]])
_pid, status, usage = os.wait4(child, 0)
with open({MEASURES!r}, "a") as file:
    file.write(f"{{time.monotonic() - begun}} {{usage.ru_maxrss}} {{usage.ru_utime + usage.ru_stime}}\\n")
sys.exit(os.waitstatus_to_exitcode(status))
"""
_STAMPED = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) .*?\| (?:TASK \[|(PLAY RECAP))", re.MULTILINE)
_CHANGED = re.compile(r"changed: (\d+)")
PATIENCE = 1800.0


@dataclass(frozen=True)
class Measured:
    """One run of a playbook: from its first task to its recap, and what its longest module on the node took."""

    seconds: float
    module_seconds: float
    megabytes: float
    processor_seconds: float
    output: str

    @property
    def changed(self) -> int:
        """How many machines were changed; the playbook tells it."""
        match = _CHANGED.search(self.output)
        return int(match[1]) if match else -1

    def assert_changed(self, count: int) -> None:
        if self.changed != count:
            print(self.output[-6000:])
            sys.exit(f"{self.changed} machines were changed, not {count}: there is nothing to measure")


class Bench:
    """One lab for one part."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.ground = Playground(lab, directory)
        self.controller = self.ground.controller
        self._log = directory / "log"
        self._variables = directory / "variables.json"
        self.lab = lab
        self._on(f"mkdir -p /var/lib/vz/import && head -c {IMAGE_MEGABYTES << 20} /dev/zero > {IMAGE_PATH}")
        lab.node(NODE).run(["sh", "-c", f"cat > {INTERPRETER}; chmod 755 {INTERPRETER}"], MEASURING_PYTHON).check()

    @staticmethod
    def tell(text: str) -> None:
        print(f"[{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}] {text}", flush=True)

    def _on(self, script: str) -> str:
        return self.ground.on(NODE, script)

    def play(
        self, playbook: str, variables: dict[str, Any], binaries: Path = BINARIES, fails: bool = False
    ) -> Measured:
        """Run a playbook of this directory and read the clocks."""
        node = self.lab.node(NODE)
        known = {
            "bench_node": NODE,
            "bench_image": IMAGE,
            "bench_image_path": IMAGE_PATH,
            "bench_address": node.ip,
            "bench_password": node.spec.password,
        }
        self._variables.write_text(json.dumps({**known, **variables}), encoding="utf-8")
        self._log.unlink(missing_ok=True)
        self._on(f"rm -f {MEASURES}")
        command = [str(binaries / "ansible-playbook"), "-i", str(self.controller.inventory)]
        command += [str(HERE / "vms" / playbook), "-e", f"@{self._variables}"]
        if binaries == BINARIES:
            command += ["-e", f"ansible_python_interpreter={INTERPRETER}"]
        environment = {
            **self.ground.environment(),
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "ANSIBLE_LOG_PATH": str(self._log),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_SSH_ARGS": "-o UserKnownHostsFile=/dev/null -o ControlMaster=auto -o ControlPersist=60s -o LogLevel=ERROR",
        }
        run = self.controller.run(command, environment, patience=PATIENCE)
        if (run.rc != 0) != fails:
            print(run.output[-6000:])
            sys.exit(f"{playbook} ended with {run.rc}: there is nothing to measure")
        longest, memory, processor = self._measures()
        return Measured(self._task_seconds(), longest, memory, processor, run.output)

    def _task_seconds(self) -> float:
        """From the first task to the recap, by the time stamps of Ansible's log."""
        stamps = [
            (datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f"), bool(match[2]))
            for match in _STAMPED.finditer(self._log.read_text(encoding="utf-8"))
        ]
        recap = next(moment for moment, is_recap in stamps if is_recap)
        return (recap - stamps[0][0]).total_seconds()

    def _measures(self) -> tuple[float, float, float]:
        """Seconds and megabytes of the module that took longest, and its time on a processor."""
        rows = [line.split() for line in self._on(f"cat {MEASURES} 2>/dev/null || true").splitlines()]
        seconds, kilobytes, processor = max(([float(word) for word in row] for row in rows), default=[0.0, 0.0, 0.0])
        return seconds, kilobytes / 1024, processor

    def remove_machines(self) -> None:
        """All of them, at once and without any tool's help."""
        self._on("rm -rf /etc/pve/qemu-server/*.conf /var/lib/vz/images/*")

    def count_machines(self) -> int:
        return int(self._on("ls /etc/pve/qemu-server | wc -l"))

    def forget_calls(self) -> None:
        self._on("truncate -s 0 /var/log/pveproxy/access.log")

    def count_calls(self) -> int:
        return int(self._on("grep -c api2/json /var/log/pveproxy/access.log"))

    def make_cluster(self) -> None:
        """All nodes of the lab in one cluster."""
        self.ground.found(*self.ground.names[1:])
