# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as ansible-runner runs it for AWX, on a host that is no node: what it cannot read is told, and nothing is leaned on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from busy_machine import allow
from runner_job import Job

ROOT = Path(__file__).resolve().parents[3]
SECRET = "not-to-be-seen-7"


@pytest.mark.skipif(os.geteuid() != 0, reason="the project is mounted read-only, which takes root")
def test_a_job_in_a_project_that_cannot_be_written(tmp_path: Path):
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    job = Job(tmp_path / "job", {"here": host}, {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/link")})
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "HOME": str(job.home),
    }
    ended = subprocess.run(
        job.command("cluster_status", {"cluster_name": "lab", "ansible_password": SECRET}),
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=allow(120),
        check=False,
    )
    # It fails because there is no cluster here, and hands on what it has found all the same.
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "The cluster is not healthy" in ended.stdout and "Read-only file system" not in ended.stdout
    picture = job.artifacts("cluster_status")["proxmox_cluster"]
    assert picture["healthy"] is False and "here" in picture["nodes"]
    assert SECRET not in ended.stdout + ended.stderr + job.remains()
    assert not (tmp_path / "job/project/.ansible").exists()
