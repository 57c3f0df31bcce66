# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of make bench-vms: what is run, what is measured, and how good it has to be."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from machine_bench import IMAGE, Bench, Measured
from reference_environment import reference_binaries

SMALL_FLEET, FLEET_NODES = 100, 3
SECONDS_UNCHANGED, CALLS_PER_MACHINE, CONSTANT_CALLS, MEGABYTES = 1.5, 1.0, 15, 150
# A fleet of twice the size may take this much more than twice the time: there is a constant part too.
LINEAR = 1.25
GROUP_WITH_ONE_BAD = 50


@dataclass(frozen=True)
class Ratio:
    """One line of the result."""

    name: str
    value: float
    goal: float
    at_least: bool = True

    @property
    def reached(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def __str__(self) -> str:
        return f"ratio {self.name}: {self.value:.2f} (goal {'>=' if self.at_least else '<='}{self.goal:g})"


@dataclass(frozen=True)
class Part:
    measure: Callable[[Bench, argparse.Namespace], Iterator[Ratio]]
    nodes: int = 1
    settings: dict[str, bool] = field(default_factory=lambda: {"call_costs": True})


def machine(number: int, first: int = 100, **more: Any) -> dict[str, Any]:
    """A machine as users have them: a disk from an image, cloud-init, an agent."""
    return {
        "vmid": first + number,
        "name": f"web{first + number}",
        "memory": 64,
        "cores": 1,
        "scsihw": "virtio-scsi-single",
        "image": IMAGE,
        "storage": "local",
        "ide": {"ide2": {"storage": "local", "cloudinit": True}},
        "net": {"net0": {"model": "virtio", "bridge": "vmbr0"}},
        "agent": True,
        "ipconfig": {"ipconfig0": {"ip": f"10.99.{number // 200 + 1}.{number % 200 + 10}/16", "gw": "10.99.0.1"}},
        "state": "present",
        **more,
    }


def bare_machine(number: int, first: int = 1000) -> dict[str, Any]:
    """A machine without a disk, spread over the nodes: for fleets, where looking is measured and not copying."""
    return {
        "vmid": first + number,
        "name": f"fleet{first + number}",
        "node": f"pve{number % FLEET_NODES + 1}",
        "memory": 64,
        "net": {"net0": {"model": "virtio", "bridge": "vmbr0"}},
        "tags": ["fleet"],
        "state": "present",
    }


def compare(bench: Bench, options: argparse.Namespace) -> Iterator[Ratio]:
    """The same machines four times, each after the one before was removed."""
    count = options.machines
    more = {"state": "started"} if options.start else {}
    extra = {"bench_vms": [machine(number, **more) for number in range(count)], "bench_start": options.start}
    bench.play("collection.yml", {**extra, "bench_vms": []})  # the connection is there for all of them
    ours = bench.play("collection.yml", extra)
    bench.tell(f"collection: {ours.seconds:.1f} s for {count} ({ours.module_seconds:.1f} s in the module)")
    bench.remove_machines()
    bare = bench.play("bare.yml", extra)
    bench.tell(f"qm create: {bare.seconds:.1f} s for {count}")
    bench.remove_machines()
    kvm = bench.play("proxmox_kvm.yml", extra, binaries=reference_binaries())
    bench.tell(f"proxmox_kvm: {kvm.seconds:.1f} s for {count}")
    bench.remove_machines()
    recipe = bench.play("recipe.yml", extra)
    bench.tell(f"recipe: {recipe.seconds:.1f} s for {count}")
    yield Ratio("vms-recipe", recipe.seconds / ours.seconds, 30)
    yield Ratio("vms-proxmox-kvm", kvm.seconds / ours.seconds, 10)
    yield Ratio("vms-qm-create", bare.seconds / ours.seconds, 4)


def unchanged(bench: Bench, _options: argparse.Namespace) -> Iterator[Ratio]:
    """A second run over many machines."""
    extra = {"bench_vms": [machine(number) for number in range(SMALL_FLEET)]}
    bench.play("collection.yml", extra)
    again = bench.play("collection.yml", extra)
    again.assert_changed(0)
    # Over HTTPS every call is in pveproxy's log.
    bench.forget_calls()
    bench.play("collection.yml", {**extra, "bench_transport": "api"}).assert_changed(0)
    calls = bench.count_calls()
    bench.tell(
        f"unchanged: {SMALL_FLEET} machines, {again.seconds:.1f} s for the task, "
        f"{again.processor_seconds:.2f} s of a processor for the module, {calls} calls"
    )
    yield Ratio("vms-unchanged-module-seconds", again.module_seconds, SECONDS_UNCHANGED, at_least=False)
    yield Ratio("vms-calls-per-unchanged", (calls - CONSTANT_CALLS) / SMALL_FLEET, CALLS_PER_MACHINE, at_least=False)


def fleet(bench: Bench, options: argparse.Namespace) -> Iterator[Ratio]:
    """More and more machines on a cluster of three nodes: how the time and the memory of an unchanged run grow."""
    bench.make_cluster()
    sizes = [int(size) for size in options.fleet.split(",")]
    looks: list[Measured] = []
    for size in sizes:
        extra = {"bench_vms": [bare_machine(number) for number in range(size)]}
        made = bench.play("collection.yml", extra)
        again = bench.play("collection.yml", extra)
        again.assert_changed(0)
        looks.append(again)
        bench.tell(
            f"fleet of {size} on {FLEET_NODES} nodes: up to it {made.module_seconds:.1f} s and {made.megabytes:.0f} MB, "
            f"unchanged {again.module_seconds:.2f} s ({again.processor_seconds:.2f} s of a processor) and {again.megabytes:.0f} MB"
        )
    growth = (looks[-1].module_seconds / looks[-2].module_seconds) / (sizes[-1] / sizes[-2])
    yield Ratio("vms-fleet-growth", growth, LINEAR, at_least=False)
    yield Ratio("vms-fleet-megabytes", max(look.megabytes for look in [*looks, made]), MEGABYTES, at_least=False)


def one_bad(bench: Bench, _options: argparse.Namespace) -> Iterator[Ratio]:
    """One machine of many cannot be made: all others are, the task names it, and the next run touches it alone."""
    machines = [machine(number) for number in range(GROUP_WITH_ONE_BAD)]
    machines[7]["pool"] = "nosuch"
    failed = bench.play("collection.yml", {"bench_vms": machines}, fails=True)
    named = f"1 of {GROUP_WITH_ONE_BAD} could not be settled. web107:" in failed.output
    done = bench.count_machines()
    del machines[7]["pool"]
    mended = bench.play("collection.yml", {"bench_vms": machines})
    bench.tell(f"one bad of {GROUP_WITH_ONE_BAD}: {done} done, named: {named}, then {mended.changed} changed")
    yield Ratio("vms-done-beside-a-bad-one", done if named else 0, GROUP_WITH_ONE_BAD - 1)
    yield Ratio("vms-touched-by-the-next-run", mended.changed, 1, at_least=False)


PARTS = {
    "compare": Part(compare),
    "unchanged": Part(unchanged),
    "one-bad": Part(one_bad),
    "fleet": Part(fleet, nodes=FLEET_NODES, settings={}),
}
