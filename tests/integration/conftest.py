# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs and controllers for tests that run whole playbooks; every module has its own, and takes them down again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playbook_runs import Controller
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


@pytest.fixture(scope="module")
def make_controller(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Controller]:
    """Hand out controllers of a lab: make_controller(lab, passwords=False)."""

    def make(lab: Lab, **values: Any) -> Controller:
        return Controller(lab, tmp_path_factory.mktemp("c", numbered=True), **values)

    return make
