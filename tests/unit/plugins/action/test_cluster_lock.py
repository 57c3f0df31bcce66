# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns the lease, and when a holder counts as dead."""

from __future__ import annotations

import os
import socket

import pytest

from ansible_collections.baremetal.proxmox.plugins.action.proxmox_cluster_lock import (
    is_dead,
    owner_of_this_run,
    start_of,
)

HERE = socket.gethostname()


def test_this_run_is_alive():
    assert not is_dead(owner_of_this_run())


def test_a_later_process_of_the_same_number_is_another_one():
    assert is_dead(f"root@{HERE} process {os.getpid()} ({start_of(os.getpid()) + 1})")


def test_a_process_that_is_gone_is_dead():
    child = os.fork()
    if child == 0:
        os._exit(0)
    start = start_of(child)
    os.waitpid(child, 0)
    assert is_dead(f"root@{HERE} process {child} ({start})")


@pytest.mark.parametrize("owner", ["", "somebody", "root@elsewhere process 1 (1)", "awx job 12"])
def test_nothing_is_known_of_others(owner):
    assert not is_dead(owner)
