# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make rehearse, as a newcomer runs it: from nothing to a cluster, machines, agents that answer, and a report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from busy_machine import allow
from lab_fixtures import require_containers
from practice_lab import Lab

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def name() -> Iterator[str]:
    require_containers()
    lab = f"test{os.getpid()}rehearsal"
    yield lab
    Lab(lab).down()
    shutil.rmtree(CHECKOUT / "build" / lab, ignore_errors=True)


def test_a_rehearsal_tells_the_whole_story(name: str) -> None:
    done = subprocess.run(
        [CHECKOUT / "tests" / "lab" / "rehearse", "--name", name, "--bin", Path(sys.executable).parent],
        capture_output=True,
        text=True,
        timeout=allow(600),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("nothing has changed") == 2
    assert "PROXMOX VE CLUSTER CREATED SUCCESSFULLY" in done.stdout
    assert "make rehearse-down" in done.stdout
    report = json.loads((CHECKOUT / "build" / name / "report" / "report.json").read_text(encoding="utf-8"))
    answered = {guest["name"]: guest["addresses"] for guest in report["guests"] if guest["agent"]["available"]}
    assert answered == {"web1": ["10.99.0.101"], "db1": ["10.99.0.102"]}
