# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for tests on practice nodes: every module has its own, and takes it down again. The conftest.py files take this in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from practice_lab import Lab


def require_containers() -> None:
    """Skip where no container can run; on a CI machine that is a failure."""
    missing = []
    if os.geteuid() != 0:
        missing.append("root")
    missing += [program for program in ("systemd-nspawn", "nft", "ip", "nsenter", "ssh") if not shutil.which(program)]
    if missing:
        reason = f"practice nodes need {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def make_lab(request: pytest.FixtureRequest) -> Iterator[Callable[[], Lab]]:
    """Hand out labs that do not exist yet: make_lab().up(["pve1"])."""
    require_containers()
    labs: list[Lab] = []

    def make() -> Lab:
        # The process id keeps two test runs on one machine apart.
        lab = Lab(f"test{os.getpid()}x{abs(hash(request.module.__name__)) % 1000}x{len(labs)}")
        labs.append(lab)
        return lab

    yield make
    for lab in labs:
        lab.down()
