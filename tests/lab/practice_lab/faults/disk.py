# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full disk: the node's writable layer moves onto a file system of limited size, which is then filled to the last block."""

from __future__ import annotations

import shutil
from typing import Any

from .. import layers
from ..completed import must_run
from .base import Case, Fault, Parameter

FILLER = "/var/tmp/practice-filler"
SPARE = 64 << 20  # what is free on the small disk before it is filled


class FullDisk(Fault):
    name = "full-disk"
    help = "fill a node's root file system: every write fails with ENOSPC (the node is booted once to get a small disk)"
    parameters = (Parameter("free", "bytes that stay free", int, 0),)

    def apply(self, case: Case) -> dict[str, Any]:
        limit_disk(case)
        # As a real one, the disk is full for root only when nothing is left at all.
        done = case.node.run(["dd", "if=/dev/zero", f"of={FILLER}", "bs=4096"], timeout=120)
        if "No space left on device" not in done.stderr:
            done.check()
        if case.options["free"]:
            case.must("truncate", "-s", f"-{case.options['free']}", FILLER)
        return {}

    def heal(self, case: Case) -> None:
        (case.node.root / FILLER.lstrip("/")).unlink(missing_ok=True)
        must_run(["mount", "-o", "remount,size=75%", str(layers.disk_of(case.node.directory))])


def limit_disk(case: Case) -> None:
    """Give the node a root of limited size, unless it has one."""
    node = case.node
    disk = layers.disk_of(node.directory)
    if layers.is_limited(node.identifier, node.directory):
        used = shutil.disk_usage(disk).used
        must_run(["mount", "-o", f"remount,size={used + SPARE}", str(disk)])
        return
    running = node.leader() is not None
    if running:
        node.poweroff()
    layers.move_to_limited_disk(node.identifier, node.directory, SPARE)
    node.mount()
    if running:
        node.boot()
        node.wait_ready()


FAULTS: list[Fault] = [FullDisk()]
