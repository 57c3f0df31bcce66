# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal does, chapter by chapter: the nodes, the playbook, the same once more, machines, their agents, a report."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .lab import Lab
from .rehearsal import CHECKOUT, Rehearsal

# What follows the cluster where the practice nodes are the rehearsal's own. Look-alikes of somebody's nodes have other
# networks than these machines.
MACHINES = CHECKOUT / "tests" / "lab" / "rehearsal" / "vm_config.yml"
DEFAULT_PLAYBOOK = "playbooks/create-proxmox-cluster.yml"


class Disappointment(Exception):
    """A chapter ended otherwise than promised."""


@dataclass(frozen=True)
class Chapter:
    title: str
    playbook: str
    extra: tuple[str, ...] = ()
    must_change_nothing: bool = False
    log: str = ""  # told by what it leaves there, not by its output


def chapters(options: argparse.Namespace, place: Path) -> Iterator[Chapter]:
    yield Chapter(f"The real playbook, {options.playbook}, against them", options.playbook)
    yield Chapter(
        "The same once more: nothing may change", options.playbook, must_change_nothing=True, log="second-run.log"
    )
    if not has_machines(options):
        return
    machines = ("-e", f"@{MACHINES}")
    yield Chapter("Virtual machines with a real guest agent, declared in a file", "playbooks/create-vms.yml", machines)
    yield Chapter(
        "The same once more", "playbooks/create-vms.yml", machines, must_change_nothing=True, log="second-vm-run.log"
    )
    yield Chapter("What their agents say", "playbooks/guest-facts.yml")
    report = place / "report"
    yield Chapter(
        f"The whole as a page: {report.relative_to(CHECKOUT)}/report.html",
        "playbooks/report.yml",
        ("-e", f"report_directory={report}"),
        log="report.log",
    )


def has_machines(options: argparse.Namespace) -> bool:
    return options.inventory is None and options.playbook == DEFAULT_PLAYBOOK


def tell(text: str) -> None:
    print(text, flush=True)


def unchanged(log: Path) -> bool:
    """Whether the play recap of a run says that nothing was changed on any host."""
    recap = [line for line in log.read_text(encoding="utf-8").splitlines() if " ok=" in line and " changed=" in line]
    return bool(recap) and all("changed=0 " in line for line in recap)


def tell_chapter(rehearsal: Rehearsal, chapter: Chapter, inventory: Path) -> None:
    log = rehearsal.place / chapter.log if chapter.log else None
    code = rehearsal.play(chapter.playbook, inventory, *chapter.extra, log=log)
    where = f": {log.relative_to(CHECKOUT)}" if log else " (see above)"
    if code != 0:
        raise Disappointment(f"{chapter.playbook} failed{where}")
    if log and chapter.must_change_nothing:
        if not unchanged(log):
            raise Disappointment(f"The second run of {chapter.playbook} changed something{where}")
        tell(f"   nothing has changed ({log.relative_to(CHECKOUT)})")


def rehearse(options: argparse.Namespace) -> int:
    rehearsal = Rehearsal(options.name, options.bin, shlex.split(options.args))
    started = time.monotonic()
    tell("1. Practice nodes: containers that behave like Proxmox VE nodes, in a network of their own on this machine")
    rehearsal.lab.down()
    rehearsal.prepare()
    inventory = build(rehearsal, options)
    for node in rehearsal.lab.nodes():
        tell(f"   {node.name:12} {node.ip}")
    tell(f"   up after {time.monotonic() - started:.0f} s")
    try:
        for number, chapter in enumerate(chapters(options, rehearsal.place), start=2):
            tell(f"\n{number}. {chapter.title}")
            tell_chapter(rehearsal, chapter, inventory)
    except Disappointment as disappointment:
        tell(f"\n{disappointment}. The practice nodes are still there. {look_around(rehearsal.lab)}")
        return 1
    tell(f"\nDone after {time.monotonic() - started:.0f} s. {look_around(rehearsal.lab)}")
    return 0


def build(rehearsal: Rehearsal, options: argparse.Namespace) -> Path:
    """The practice nodes; the result is the inventory to play against."""
    if options.inventory is None:
        return rehearsal.build_default(with_machines=has_machines(options))
    inventory: Path = options.inventory
    found = rehearsal.build_lookalikes(inventory)
    tell(
        "".join(f"   note: {note}\n" for note in found.notes).rstrip()
        or "   like the nodes of your inventory in all that it says"
    )
    return inventory


def look_around(lab: Lab) -> str:
    node = lab.nodes()[0]
    command = f"tests/lab/lab --name {lab.name}"
    return (
        "Look around:\n"
        f"   {command} sh {node.name}     a shell on a node: try pvecm status, qm list, ls -la /etc/pve\n"
        f"   {command} fault list         what can be broken on demand, and healed again\n"
        f"   {command} exec -- curl -k https://{node.ip}:8006/api2/json/version\n"
        "                                 a program of this machine in the nodes' network\n"
        "and when you have seen enough: make rehearse-down"
    )
