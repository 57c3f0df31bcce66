# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines on borrowed hosts: real QEMU in software on two practice nodes that play the hosts, and a third that is off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from module_runs import Playground
from practice_lab import Lab
from practice_lab.debian_packages import install_packages

DIRECTORY = "/var/lib/qemu-nodes"
BASE = f"{DIRECTORY}/tiny.qcow2"
OFF = "10.99.0.99"
MACHINE = {"memory": 128, "cores": 1, "growth": 64}
# vm1 has a second card, as vmbr120 wants one.
MACHINES = {
    "pve1": [{"name": "vm1", **MACHINE, "second_bridge": "vmbr0"}, {"name": "vm2", **MACHINE}],
    "pve2": [{"name": "vm3", **MACHINE}],
    "off": [{"name": "vm4", **MACHINE}],
}


@pytest.fixture(scope="module")
def hosts(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Playground:
    lab = make_lab().up(["pve1", "pve2"], settings={"guests": "tiny"})
    playground = Playground(lab, tmp_path_factory.mktemp("hosts"))
    for name in playground.names:
        install_packages(lab.node(name), ["qemu-utils"])
        playground.on(name, "qemu-img convert -O qcow2 /usr/share/practice-node/guests/tiny.raw /root/tiny.qcow2")
    inventory = playground.controller.inventory
    with inventory.open("a") as stream:
        stream.write(f"\n[qemu_hosts]\npve1\npve2\noff ansible_host={OFF}\n")
    return playground


@pytest.fixture(scope="module")
def variables(hosts: Playground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Both hosts made the same image; only one of the two is taken for all.
    hosts.on("pve1", "cat /root/tiny.qcow2 > /root/golden.qcow2")
    golden = hosts.lab.node("pve1").root / "root/golden.qcow2"
    content = golden.read_bytes()
    (hosts.lab.node("pve2").root / "root/golden.qcow2").write_bytes(content)
    path = tmp_path_factory.mktemp("variables") / "nested.json"
    image = {"source": "/root/golden.qcow2", "checksum": hashlib.sha256(content).hexdigest(), "name": "tiny.qcow2"}
    path.write_text(
        json.dumps(
            {
                "machines": MACHINES,
                "qemu_node_host_nodes": "{{ machines[inventory_hostname] }}",
                "qemu_node_host_image": image,
                "qemu_node_host_bridge": "vmbr0",
                "qemu_node_host_acceleration": "tcg",
                "qemu_node_host_install": False,
                "qemu_node_host_become": False,
                "qemu_node_host_reserved_memory": 64,
                "qemu_node_host_reserved_disk": 64,
                "qemu_node_host_stop_timeout": 60,
            }
        )
    )
    return path


def deploy(hosts: Playground, variables: Path, *more: str) -> Any:
    return hosts.play("deploy-nested-nodes", "-e", f"@{variables}", *more)


def hash_of_base(hosts: Playground, host: str) -> str:
    return hosts.on(host, f"sha256sum {BASE}").split()[0]


def test_what_is_missing_is_told_and_nothing_made(hosts: Playground, variables: Path) -> None:
    refused = deploy(hosts, variables, "-e", "qemu_node_host_bridge=virbr9").refused()
    assert "There is no bridge virbr9; there are vmbr0." in refused.words
    assert hosts.on("pve1", f"ls {DIRECTORY} 2>/dev/null || true") == ""


def test_the_machines_run_and_the_host_that_is_off_is_told(hosts: Playground, variables: Path) -> None:
    done = deploy(hosts, variables).check()
    assert "off: is off or does not answer; left out: vm4" in done.words
    assert "pve1: vm1, vm2" in done.words and "pve2: vm3" in done.words
    assert hosts.on("pve1", "qemu-node list") == "vm1\tactive\nvm2\tactive\n"
    # Each card is a port of the bridge; no two have the same address.
    assert hosts.on("pve1", "ls /sys/class/net/vmbr0/brif | grep -c ^qn").strip() == "3"
    addresses = hosts.on("pve1", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -o '[m]ac=52:54:[0-9a-f:]*'").split()
    assert len(set(addresses)) == 3


def test_the_console_is_one_command(hosts: Playground) -> None:
    # The firmware and the kernel speak on the serial line: start it anew and listen.
    heard = hosts.on(
        "pve2",
        "qemu-node stop vm3; (sleep 1; qemu-node start vm3) & sleep 2; until test -S /run/qemu-nodes/vm3.console; do sleep 0.1; done;"
        " sleep 15 | timeout 20 qemu-node console vm3 2>/dev/null | head -c 40 || true",
    )
    assert len(heard) >= 40, heard


def test_the_image_is_as_it_was_and_the_overlays_are_small(hosts: Playground, variables: Path) -> None:
    checksum = json.loads(variables.read_text())["qemu_node_host_image"]["checksum"]
    for host, machines in MACHINES.items():
        if host == "off":
            continue
        assert hash_of_base(hosts, host) == checksum
        for machine in machines:
            disk = f"{DIRECTORY}/{machine['name']}.qcow2"
            info = json.loads(hosts.on(host, f"qemu-img info --force-share --output=json {disk}"))
            assert info["full-backing-filename"] == BASE and info["backing-filename-format"] == "qcow2"
            assert info["actual-size"] < 24 * 1024**2


def test_the_second_run_changes_nothing(hosts: Playground, variables: Path) -> None:
    assert deploy(hosts, variables).check().changed == {"localhost": 0, "off": 0, "pve1": 0, "pve2": 0}


def test_an_image_that_was_written_to_stops_its_host_alone(hosts: Playground, variables: Path) -> None:
    hosts.on("pve2", f"chmod 644 {BASE}; printf x >> {BASE}")
    refused = deploy(hosts, variables).refused()
    assert "Somebody wrote to it" in refused.words and "✓ pve1: vm1, vm2" in refused.words
    hosts.on("pve2", f"truncate -s -1 {BASE}; chmod 444 {BASE}")


def test_a_machine_goes_when_it_is_meant(hosts: Playground, variables: Path) -> None:
    gone: dict[str, Any] = {"machines": {**MACHINES, "pve1": [{"name": "vm1", "state": "absent"}, MACHINES["pve1"][1]]}}
    refused = deploy(hosts, variables, "-e", json.dumps(gone)).refused()
    assert "Nothing was removed" in refused.words
    gone["machines"]["pve1"][0]["confirm"] = "vm1"
    deploy(hosts, variables, "-e", json.dumps(gone)).check()
    assert hosts.on("pve1", "qemu-node list") == "vm2\tactive\n"
    assert hosts.on("pve1", f"ls {DIRECTORY}") == "tiny.qcow2\nvm2.qcow2\n"
