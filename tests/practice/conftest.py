# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for tests: every module has its own, and takes it down again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from file_order import start_first
from lab_fixtures import make_lab as make_lab
from module_runs import Playground
from practice_lab import Lab

# Minutes, not seconds. The others follow by name.
LONGEST_FIRST = (
    "test_ha_intent.py",
    "test_conformance_mutations.py",
    "test_cluster_join_killed.py",
    "test_cluster_leave.py",
    "test_cluster_join_planted.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    start_first(items, LONGEST_FIRST)


@pytest.fixture(scope="module")
def make_playground(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Playground]:
    """Hand out labs with a controller: make_playground("pve1", "pve2")."""
    return lambda *names: Playground(make_lab().up(list(names)), tmp_path_factory.mktemp("playground"))
