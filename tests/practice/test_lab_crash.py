# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs beside each other, arbitrary addresses, and no leftovers whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from busy_machine import allow
from practice_lab import Lab, LabError, LabSpec
from practice_lab.lab import known_labs

PROGRAM = Path(__file__).resolve().parents[1] / "lab" / "lab"


def traces(name: str) -> list[str]:
    """Whatever of a lab is still on this machine."""
    found = [str(path) for path in Path("/run/netns").glob(f"pl-{name}*")]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"pl-{name}" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/pl-{name}*")]
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                if f"pl-{name}" in Path(f"/proc/{entry}/cmdline").read_text():
                    found.append(f"process {entry}")
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def test_labs_with_the_same_addresses_do_not_meet(make_lab: Callable[[], Lab]):
    one, two = make_lab(), make_lab()
    one.up(["pve1"], wait=False)
    two.up(["pve1", "pve2"], wait=False)
    assert one.exec(["ping", "-c1", "-W1", "10.99.0.12"]).rc != 0
    assert two.exec(["ping", "-c1", "-W1", "10.99.0.12"]).rc == 0
    one.down()
    assert traces(one.name) == []
    assert two.exec(["ping", "-c1", "-W1", "10.99.0.11"]).rc == 0
    two.down()


def test_nodes_of_any_inventory_reach_each_other(make_lab: Callable[[], Lab]):
    """The controller routes between the subnets, with the nodes' own gateways where they are told."""
    addresses = {"alpha": "10.0.0.1/24", "beta-2": "192.168.1.10/24", "gamma": "157.159.10.9/16"}
    spec = LabSpec.from_json(
        '{"domain": "example.org", "password": "geheim wie #1", "nodes": ['
        + ",".join(f'{{"name": "{name}", "address": "{address}"}}' for name, address in addresses.items())
        + "]}"
    )
    lab = make_lab().up(spec=spec)
    for name in addresses:
        for address in addresses.values():
            lab.node(name).run(["ping", "-c1", "-W2", address.split("/")[0]]).check()
    assert lab.node("beta-2").run(["hostname", "-f"]).stdout == "beta-2.example.org\n"
    assert lab.ssh("gamma", "hostname").stdout == "gamma\n"
    lab.down()


@pytest.mark.parametrize("delay", [0.05, 0.3, 0.6, 1.0])
def test_down_clears_what_a_killed_up_leaves(make_lab: Callable[[], Lab], delay: float):
    lab = make_lab()
    up = subprocess.Popen([sys.executable, PROGRAM, "--name", lab.name, "up", "pve1", "pve2"], start_new_session=True)
    time.sleep(delay)
    os.killpg(up.pid, signal.SIGKILL)
    up.wait()
    lab.down()
    assert traces(lab.name) == []
    assert lab.name not in known_labs()


def test_an_interrupted_up_is_finished_by_the_next(make_lab: Callable[[], Lab]):
    lab = make_lab()
    up = subprocess.Popen(
        [sys.executable, PROGRAM, "--name", lab.name, "up", "pve1"],
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + allow(30)
    while not lab.directory.exists():
        assert time.monotonic() < deadline and up.poll() is None
        time.sleep(0.01)
    os.killpg(up.pid, signal.SIGINT)
    _, errors = up.communicate()
    assert up.returncode == 130 and "lab down" in errors
    lab.up(["pve1"])
    assert lab.node("pve1").run(["true"]).rc == 0
    lab.down()


def test_down_finds_everything_without_the_lab_directory(make_lab: Callable[[], Lab]):
    lab = make_lab().up(["pve1"], wait=False)
    command = [sys.executable, PROGRAM, "--name", lab.name, "exec", "--", "sh", "-c", "echo ready; exec sleep 600"]
    sleeper = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert sleeper.stdout and sleeper.stdout.readline() == b"ready\n"
    lab.description.unlink()
    (lab.directory / "nodes" / "pve1" / "console.log").unlink()
    assert lab.name in known_labs()
    lab.down()
    assert traces(lab.name) == []
    assert sleeper.wait(timeout=allow(5)) == -signal.SIGKILL
    assert not lab.directory.exists()


def test_a_host_without_room_is_told_before_the_boot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from practice_lab import limits

    limits.require_room_for(0)
    (tmp_path / "limit").write_text(f"{limits.count_inotify_instances() + 15}\n")
    monkeypatch.setattr(limits, "INOTIFY_LIMIT", tmp_path / "limit")
    with pytest.raises(LabError, match=r"sysctl -w fs\.inotify\.max_user_instances="):
        limits.require_room_for(2)


def test_a_node_whose_manager_was_killed_boots_again(make_lab: Callable[[], Lab]):
    from practice_lab.processes import container_managers

    lab = make_lab().up(["pve1"], wait=False)
    node = lab.node("pve1")
    for pid, machine in list(container_managers()):
        if machine == node.identifier:
            os.kill(pid, signal.SIGKILL)
    lab.up()
    assert node.run(["true"]).rc == 0
    lab.down()
    assert traces(lab.name) == []
