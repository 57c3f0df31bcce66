# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate does to the machine before and after tests on practice nodes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from gate.machine import labs_of_dead_processes, raise_inotify_limit


def test_a_low_limit_is_raised_and_said(tmp_path: Path):
    limit = tmp_path / "limit"
    limit.write_text("128\n", encoding="ascii")
    assert "from 128 to 2048" in raise_inotify_limit(limit)
    assert limit.read_text(encoding="ascii") == "2048\n"
    assert raise_inotify_limit(limit) == ""


def test_a_limit_that_cannot_be_raised_is_said(tmp_path: Path):
    assert "cannot be raised" in raise_inotify_limit(tmp_path / "absent")


def test_only_labs_of_ended_test_runs_are_dead():
    ended = subprocess.Popen(["true"])
    ended.wait()
    mine, gone = f"test{os.getpid()}x12x0", f"test{ended.pid}x12x0"
    names = [mine, gone, "default", "conformstates", "testing", f"test{ended.pid}states"]
    assert labs_of_dead_processes(names, lambda _name: time.time()) == [gone, f"test{ended.pid}states"]


def test_a_process_younger_than_the_lab_only_has_the_same_number():
    name = f"test{os.getpid()}x12x0"
    assert labs_of_dead_processes([name], lambda _name: 1000.0) == [name]
    # Nothing is known of the lab's age: the process has the benefit of the doubt.
    assert labs_of_dead_processes([name], lambda _name: None) == []
