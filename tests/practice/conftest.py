# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for tests: every module has its own, and takes it down again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from module_runs import Playground
from practice_lab import Lab

# Minutes, not seconds: they decide how long all files take together, so they start first. The others follow by name.
LONGEST_FIRST = (
    "test_conformance_mutations.py",
    "test_cluster_join_killed.py",
    "test_cluster_leave.py",
    "test_cluster_join_planted.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files; the order of the tests in a file is the story that it tells."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


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
def make_playground(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Playground]:
    """Hand out labs with a controller: make_playground("pve1", "pve2")."""
    return lambda *names: Playground(make_lab().up(list(names)), tmp_path_factory.mktemp("playground"))
