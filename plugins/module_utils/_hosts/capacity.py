# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a borrowed host can carry the nodes that shall run on it, judged before anything is created.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MEBIBYTE = 1024**2


@dataclass(frozen=True)
class Host:
    """What the host has. C(free_disk) is where the disks will lie; bridges are those that exist."""

    free_memory: int
    cores: int
    free_disk: int
    has_kvm: bool
    kvm_reason: str = ""
    bridges: frozenset[str] = frozenset()
    #: Nodes that run already: they have their memory.
    running: frozenset[str] = frozenset()
    #: Nodes whose disk is there already.
    provided: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """One node: memory in MiB, disk in MiB that its overlay may grow to."""

    name: str
    memory: int
    cores: int
    bridges: tuple[str, ...] = ()
    growth: int = 0


@dataclass(frozen=True)
class Demands:
    nodes: Sequence[Wanted] = field(default_factory=tuple)
    #: auto (KVM if it works, else emulation, told as a warning), kvm, or tcg.
    acceleration: str = "auto"
    #: MiB that stay free for the host's own people.
    reserved_memory: int = 1024
    reserved_disk: int = 2048


@dataclass(frozen=True)
class Verdict:
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    #: What the nodes will run with: kvm or tcg.
    acceleration: str


def judge(host: Host, demands: Demands) -> Verdict:
    """All findings at once."""
    errors: list[str] = []
    warnings: list[str] = []
    names = [node.name for node in demands.nodes]
    errors += [f"{name} is declared twice." for name in sorted({name for name in names if names.count(name) > 1})]
    memory = sum(node.memory for node in demands.nodes if node.name not in host.running)
    free = host.free_memory // MEBIBYTE - demands.reserved_memory
    if memory and memory > free:
        errors.append(
            f"{memory} MiB of memory are wanted, {max(free, 0)} MiB are free ({demands.reserved_memory} MiB are left to the host)."
        )
    disk = sum(node.growth for node in demands.nodes if node.name not in host.provided)
    room = host.free_disk // MEBIBYTE - demands.reserved_disk
    if disk and disk > room:
        errors.append(
            f"{disk} MiB of disk are wanted, {max(room, 0)} MiB are free ({demands.reserved_disk} MiB are left to the host)."
        )
    for node in demands.nodes:
        if node.cores > host.cores:
            errors.append(f"{node.name} wants {node.cores} cores, the host has {host.cores}.")
    for bridge in sorted({bridge for node in demands.nodes for bridge in node.bridges} - host.bridges):
        errors.append(f"There is no bridge {bridge}; there are {', '.join(sorted(host.bridges)) or 'none'}.")
    if sum(node.cores for node in demands.nodes) > host.cores:
        warnings.append("The nodes have more cores together than the host.")
    acceleration = demands.acceleration
    if acceleration == "auto":
        acceleration = "kvm" if host.has_kvm else "tcg"
        if not host.has_kvm:
            warnings.append(f"KVM cannot be used ({host.kvm_reason}): the nodes are emulated, which is slow.")
    elif acceleration == "kvm" and not host.has_kvm:
        errors.append(f"KVM cannot be used: {host.kvm_reason}.")
    return Verdict(tuple(errors), tuple(warnings), acceleration)
