# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newcomer's way, as the README tells it after the rehearsal: the same commands on a node of one's own; then AWX's way.

One node is enough here: what a cluster of several does is seen by test_rehearsal.py and others.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from playbook_runs import ROOT, Controller, PlayRun
from practice_lab import Lab
from runner_job import Job

NODE = "pve1"


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up([NODE])


@pytest.fixture(scope="module")
def controller(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    """The newcomer's machine: an inventory made of the example, and a key in its usual place."""
    controller = make_controller(lab)
    node = lab.node(NODE)
    text = (ROOT / "inventory/proxmox-cluster.ini.example").read_text(encoding="utf-8")
    text = re.sub(r"^pve[23] .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("192.0.2.11 hostname=pve1.example.com", f"{node.ip} hostname={node.spec.fqdn}")
    text = text.replace("# ansible_password=...", f"ansible_password={node.spec.password}")
    controller.inventory.write_text(text, encoding="utf-8")
    controller.inventory.chmod(0o600)
    (controller.home / ".ssh").mkdir(mode=0o700)
    for suffix in ("", ".pub"):
        shutil.copy(f"{controller.key}{suffix}", controller.home / ".ssh" / f"id_ed25519{suffix}")
    return controller


@pytest.fixture
def make(controller: Controller, record_property: Callable[[str, object], None]) -> Callable[..., PlayRun]:
    """A make target; how long it took is recorded with the test's result, and never judged."""

    def run(target: str, *variables: str) -> PlayRun:
        begun = time.monotonic()
        ended = controller.make(target, *variables)
        record_property(f"make {target}", f"{time.monotonic() - begun:.1f} s")
        return ended

    return run


def test_the_machine_is_fit(make: Callable[..., PlayRun]):
    assert "ERROR" not in make("doctor").check().stdout


def test_looking_before_anything_is_changed(make: Callable[..., PlayRun]):
    make("test-cluster").check()
    preflight = make("preflight").check()
    assert set(preflight.changed.values()) == {0}


def test_the_cluster_is_there_and_well(make: Callable[..., PlayRun]):
    created = make("create-cluster", "CONFIRM=yes").check()
    assert "CLUSTER CREATED SUCCESSFULLY" in created.stdout
    assert created.changed[NODE] > 0
    assert "Health: good" in make("cluster-health").check().stdout


def test_the_report(make: Callable[..., PlayRun], tmp_path: Path):
    first = make("report", f"REPORT={tmp_path}").check()
    assert f"The report: {tmp_path}/report.html" in first.stdout
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert document["healthy"] and document["changes"] is None
    assert [node["name"] for node in document["nodes"]] == [NODE]
    assert NODE in (tmp_path / "report.html").read_text(encoding="utf-8")
    metrics = text_string_to_metric_families((tmp_path / "report.prom").read_text(encoding="utf-8"))
    values = {family.name: [sample.value for sample in family.samples] for family in metrics}
    assert values["proxmox_cluster_node_online"] == [1.0] and values["proxmox_cluster_quorate"] == [1.0]
    # Nothing has changed since.
    make("report", f"REPORT={tmp_path}").check()
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["changes"] == []


def test_machines_are_planned_and_compared(make: Callable[..., PlayRun], tmp_path: Path):
    declared = tmp_path / "vm_config.yml"
    declared.write_text("proxmox_vms:\n  - {name: web1, vmid: 100, memory: 512, state: stopped}\n", encoding="utf-8")
    planned = make("create-vms", f"VMS={declared}", "ARGS=--check --diff").check()
    assert sum(planned.changed.values()) >= 1
    assert "web1" in make("vm-status", f"VMS={declared}").check().stdout


@pytest.fixture
def sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cp-") as directory:
        yield Path(directory)


def test_as_awx_runs_it(controller: Controller, lab: Lab, tmp_path: Path, sockets: Path):
    node = lab.node(NODE)
    environment = {name: value for name, value in controller.environment().items() if name.startswith("ANSIBLE_")}
    environment.pop("ANSIBLE_CONFIG")
    # A path to a socket is short or none, and the job's home lies deep here.
    environment["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(sockets)
    hosts = {NODE: {"ansible_host": node.ip, "ansible_user": "root"}}
    job = Job(tmp_path / "job", hosts, environment, controller.key)

    def run(playbook: str, **variables: str) -> PlayRun:
        survey = {"cluster_name": "pve-cluster", "proxmox_language": "fr", "ansible_password": node.spec.password}
        return controller.run(job.command(playbook, {**survey, **variables}), {"HOME": str(job.home)}).check()

    created = run("create-proxmox-cluster")
    assert "PREPARATION SSH" in created.stdout
    assert set(created.changed.values()) == {0}
    assert job.artifacts("create-proxmox-cluster")["proxmox_cluster"]["healthy"] is True
    reported = run("report", report_directory=str(tmp_path / "report"))
    assert (tmp_path / "report/report.html").is_file()
    assert job.artifacts("report")["proxmox_report"]["healthy"] is True
    # What was injected is nowhere in what stays of the jobs.
    assert node.spec.password not in created.output + reported.output + job.remains()
