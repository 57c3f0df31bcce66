# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run parts of the gate: several at a time, each in its own process group with its own log and time limit."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from environments import ROOT, Environment

from .count import Figures, count
from .parts import PARTS, Count, Need, Part

LOGS = ROOT / "build" / "test-logs"
LINK = ROOT / "build" / "link"
# How long a part may take to clean up after it was told to stop.
PATIENCE = 20
# Three nodes and what runs in them.
MEMORY_OF_A_LAB = 1 << 30


@dataclass(frozen=True)
class Outcome:
    part: Part
    figures: Figures
    seconds: float = 0.0
    log: Path | None = None
    left_out: str = ""  # why the part did not run
    seen: str = ""  # when it was seen green, where that still holds and it did not run again


def reason_to_leave_out(part: Part) -> str:
    if Need.ROOT in part.needs and os.geteuid() != 0:
        return "needs root"
    absent = [path for path in part.paths if not (ROOT / path).exists()]
    return f"{', '.join(absent)} not in this checkout" if absent else ""


def copy_for(part: Part) -> Path:
    """Where a part may put a real copy of the collection. Each has its own: they run side by side."""
    return ROOT / "build" / "copies" / part.name / "ansible_collections" / "baremetal" / "proxmox"


def command_of(part: Part, environment: Environment) -> str:
    return part.command.format(
        bin=environment.bin,
        python=environment.bin / "python",
        version=environment.python.text,
        copy=copy_for(part),
        results=LOGS / f"{part.name}.xml",
        root=ROOT,
        labs=labs_for(part, available_memory()) if part.labs else 0,
    )


def lane_of(part: Part) -> str:
    """Its lane; a part without one is alone in its own."""
    return part.lane or part.name


def labs_for(part: Part, memory: int) -> int:
    """Its labs, fewer in proportion where the memory (in bytes) is too small for those of all lanes."""
    at_once = {lane_of(each): max(other.labs for other in PARTS if lane_of(other) == lane_of(each)) for each in PARTS}
    wanted = sum(at_once.values()) * MEMORY_OF_A_LAB
    return max(1, min(part.labs, part.labs * memory // wanted))


def available_memory() -> int:
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def variables_for(environment: Environment) -> dict[str, str]:
    """The caller's environment without what would change Ansible's or Python's mind."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "PYTEST_", "MAKE")) and name not in ("PYTHONPATH", "PYTHONHOME", "MFLAGS")
    }
    return kept | {
        "PATH": f"{environment.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(environment.directory),
        "ANSIBLE_COLLECTIONS_PATH": str(LINK),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        # The gate runs the checkout's code anyway, so it may also ask git about a checkout that belongs to somebody else.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


def result_files(part: Part) -> list[Path]:
    if part.count is Count.SANITY:
        return sorted(copy_for(part).glob("tests/output/junit/*.xml"))
    return [LOGS / f"{part.name}.xml"]


@dataclass
class Runner:
    environments: dict[str, Environment]
    tell: Callable[[Outcome], None]
    workers: int = 2
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _stopped: bool = False

    def run(self, parts: Sequence[Part]) -> list[Outcome]:
        """Run the parts, never two of one lane at a time; the outcomes come in the order of the parts.

        Parts that mostly wait have a worker for each of their lanes, beside the workers that compute.
        """
        LOGS.mkdir(parents=True, exist_ok=True)
        patient = [part for part in parts if part.labs]
        computing = [part for part in parts if not part.labs]
        busy: set[str] = set()
        outcomes: dict[str, Outcome] = {}
        changed = threading.Condition()

        def take(waiting: list[Part]) -> Part | None:
            with changed:
                while waiting and not self._stopped:
                    for part in waiting:
                        if not part.lane or part.lane not in busy:
                            waiting.remove(part)
                            busy.add(part.lane)
                            return part
                    changed.wait(1)
                return None

        def finish(part: Part) -> None:
            outcome = self.run_part(part)
            with changed:
                busy.discard(part.lane)
                outcomes[part.name] = outcome
                self.tell(outcome)
                changed.notify_all()

        def work(waiting: list[Part]) -> None:
            while (part := take(waiting)) is not None:
                finish(part)

        threads = [
            threading.Thread(target=work, args=(computing,), name=f"gate-{number}") for number in range(self.workers)
        ]
        for lane in {lane_of(part) for part in patient}:
            own = [part for part in patient if lane_of(part) == lane]
            threads.append(threading.Thread(target=work, args=(own,), name=f"gate-{lane}"))
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self.stop()
            for thread in threads:
                thread.join()
            raise
        return [outcomes[part.name] for part in parts if part.name in outcomes]

    def run_part(self, part: Part) -> Outcome:
        left_out = reason_to_leave_out(part)
        if left_out:
            return Outcome(part, Figures(skipped=1), left_out=left_out)
        environment = self.environments[part.environment]
        log = LOGS / f"{part.name}.log"
        with ExitStack() as stack:
            # Somebody may run the same part in the same checkout: one after the other.
            lock = stack.enter_context(open(LOGS / f"{part.name}.lock", "w", encoding="utf-8"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            for file in result_files(part):
                file.unlink(missing_ok=True)
            started = time.monotonic()
            status = self.execute(part, environment, log)
            seconds = time.monotonic() - started
            text = log.read_text(encoding="utf-8", errors="replace")
            figures = count(part.count, status, text, result_files(part))
        return Outcome(part, figures, seconds, log)

    def execute(self, part: Part, environment: Environment, log: Path) -> int:
        with open(log, "wb") as output:
            process = subprocess.Popen(
                ["bash", "-o", "pipefail", "-c", command_of(part, environment)],
                cwd=ROOT,
                env=variables_for(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
            try:
                if self._stopped:
                    end(process)
                return process.wait(part.minutes * 60)
            except subprocess.TimeoutExpired:
                end(process)
                output.write(f"\ngate: stopped after {part.minutes:g} minutes\n".encode())
                return 124
            finally:
                self._running.discard(process)

    def stop(self) -> None:
        self._stopped = True
        for process in list(self._running):
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a whole process group. An interrupt comes first: pytest then takes its labs down."""
    for number, patience in ((signal.SIGINT, PATIENCE), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
            break
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
    # Children in the background do not hear an interrupt.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
