# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs and controllers for tests that run whole playbooks; every module has its own, and takes them down again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from file_order import start_first
from lab_fixtures import make_lab as make_lab
from playbook_runs import Controller
from practice_lab import Lab

# Minutes, not seconds. The others follow by name.
LONGEST_FIRST = (
    "test_whole_life.py",
    "test_qdevice.py",
    "test_trouble.py",
    "test_preflight_findings.py",
    "test_secrets.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    start_first(items, LONGEST_FIRST)


@pytest.fixture(scope="module")
def make_controller(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Controller]:
    """Hand out controllers of a lab: make_controller(lab, passwords=False)."""

    def make(lab: Lab, **values: Any) -> Controller:
        return Controller(lab, tmp_path_factory.mktemp("c", numbered=True), **values)

    return make
